"""Inpaint: one function paints windows, sets and shapes; OpenCV's functions."""

import builtins
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import preddiff
from conftest import Softmax
from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import Inpaint
from preddiff.samplers.load import load_sampler
from preddiff.samplers.opencv import PAINTERS, inpainted

PAIR = Windows.over((8, 8), 3, 3)  # side by side
RING = np.zeros((8, 8), dtype=bool)
RING[1:6, 1:6] = True
RING[3, 3] = False


def noise(picture, hidden, number, generator):
    """Colour of what is visible, and noise of which each picture has its own."""
    return picture + generator.standard_normal((number, *picture.shape)) / 10


@pytest.fixture
def picture(rng):
    return rng.random((3, 8, 8), dtype=np.float32)


def spec(text, shape=(3, 8, 8), **further):
    further = {"prepare": None, "mean": None, **further}
    return load_sampler(text, shape=shape, window=3, margin=2, **further)


@pytest.mark.parametrize("number", [1, 3])
def test_draws_depend_on_seed_place_and_number_alone(picture, number):
    sampler = Inpaint(noise, number=number)
    every = sampler.draw(picture, PAIR, 5, 7, None)
    which = np.array([2, 0])
    some = sampler.draw(picture, PAIR.subset(which), 2, 7, None)
    np.testing.assert_array_equal(some, every[which, :2])
    flat = every.reshape(-1, 27)
    assert len(np.unique(flat, axis=0)) == len(flat)
    assert (sampler.draw(picture, PAIR, 5, 8, None) != every).all()


def test_the_function_sees_nothing_that_is_hidden(picture):
    seen = []

    def look(blank, hidden, number, generator):
        seen.append((blank, hidden))
        return blank[None]

    sampler = Inpaint(look, population=1)
    start, size = PAIR.starts[3], 3
    drawn = sampler.draw(picture, PAIR.subset(np.array([3])), 1, 0, None)[0, 0]
    ((blank, hidden),) = seen
    assert hidden.sum() == size**2
    assert hidden[start[0], start[1]]
    np.testing.assert_array_equal(blank[:, ~hidden], picture[:, ~hidden])
    mean = picture[:, ~hidden].mean(axis=1)
    np.testing.assert_allclose(drawn, np.broadcast_to(mean[:, None, None], (3, 3, 3)), rtol=1e-6)


@pytest.mark.parametrize("hidden", [RING, PAIR.coverage > 0])
def test_what_is_visible_stays_and_draws_are_clipped(picture, hidden):
    sampler = Inpaint(lambda p, hidden, number, random: 2 * noise(p, hidden, number, random))
    filled = sampler.hide(picture, hidden, 3, 5, (0, 1))
    assert filled.shape == (3, 3, 8, 8)
    assert filled.dtype == np.float32
    np.testing.assert_array_equal(filled[:, :, ~hidden], np.stack([picture] * 3)[:, :, ~hidden])
    assert filled.min() >= 0
    assert filled.max() == 1
    assert (filled[0] != filled[1]).any()
    windows = PAIR
    np.testing.assert_array_equal(
        sampler.fill(picture, windows, 2, 5, (0, 1)),
        sampler.hide(picture, windows.coverage > 0, 2, 5, (0, 1)),
    )


def test_a_picture_is_explained_by_windows_sets_and_regions(picture):
    model, sampler = Softmax(picture.shape), Inpaint(noise)
    alone = preddiff.explain(model, picture, sampler=sampler, window=3, samples=4)
    assert alone.provenance["sampler"] == "Inpaint"
    assert (alone.evidence_error > 0).all()
    for asked in ({"window": 4}, {"regions": "2x2"}):
        e = preddiff.explain(model, picture, sampler=sampler, sets=100, samples=1, **asked)
        assert np.isfinite(e.relevance).all()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p, h, n, g: p, r"returned an array of shape \(3, 8, 8\), expected \(1, 3, 8, 8\)"),
        (lambda p, h, n, g: p[None] * np.nan, "painted values that are NaN or infinite"),
    ],
)
def test_what_a_function_must_return_is_said(picture, function, message):
    with pytest.raises(SamplerError, match=message):
        Inpaint(function, name="mine").draw(picture, PAIR, 1, 0, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"function": "telea"}, "in-painter 'telea': expected a function of picture"),
        ({"function": noise, "number": 0}, "number=0, population=None: expected at least 1"),
        ({"function": noise, "population": 0}, "population=0: expected at least 1"),
    ],
)
def test_what_is_no_in_painter_is_refused(arguments, message):
    with pytest.raises(SamplerError, match=message):
        Inpaint(**arguments)


def test_the_fingerprint_is_of_the_name_and_how_many_at_once(rng):
    made = [Inpaint(noise), Inpaint(noise, name="other"), Inpaint(noise, number=2)]
    assert len({each.sha256 for each in made}) == 3
    assert Inpaint(noise).sha256 == made[0].sha256
    assert made[0].summary()["name"].endswith("noise")
    assert Inpaint(torch.nn.Identity()).name.endswith("Identity")
    with pytest.raises(SamplerError, match="values from 0 to 9, but in-painting is clipped"):
        made[0].check(np.array([[[0, 9]]]), Windows.over((1, 2), 1), (0, 1))


@pytest.mark.parametrize("name", PAINTERS)
def test_opencv_goes_on_from_the_rim(name):
    ramp = np.broadcast_to(np.linspace(0.2, 0.8, 24, dtype=np.float32), (3, 24, 24)).copy()
    sampler = spec(f"inpaint:{name}", shape=ramp.shape)
    assert sampler.population == 1
    drawn = sampler.draw(ramp, Windows((24, 24), (4, 4), np.array([[9, 9]])), 1, 0, (0, 1))[0, 0]
    assert np.abs(drawn - ramp[:, 9:13, 9:13]).max() < 0.1
    assert spec("inpaint:ns").sha256 != spec("inpaint:telea").sha256


@pytest.mark.parametrize("name", PAINTERS)
def test_only_the_surroundings_count(name, rng):
    """A part of the picture is painted, which comes to the same as all of it."""
    import cv2

    picture = rng.random((1, 60, 60), dtype=np.float32)
    levels = np.round(255 * picture[0]).astype(np.uint8)
    hidden = np.zeros((60, 60), dtype=bool)
    hidden[20:30, 30:33] = hidden[25:28, 20:41] = hidden[40, 0] = True
    whole = cv2.inpaint(levels, hidden.astype(np.uint8), 3, getattr(cv2, PAINTERS[name]))
    found = inpainted(picture, hidden, name)[0]
    np.testing.assert_allclose(255 * found[hidden], whole[hidden], atol=1e-4)
    np.testing.assert_array_equal(found[~hidden], picture[0][~hidden])
    everything = np.ones((60, 60), dtype=bool)
    np.testing.assert_array_equal(inpainted(picture, everything, name), picture)


@pytest.mark.parametrize(
    ("text", "further", "message"),
    [
        ("inpaint", {}, "inpaint: expected inpaint:telea or inpaint:ns"),
        ("inpaint:dalle", {}, r"inpaint:dalle: expected .* samplers.Inpaint\(function\)"),
        ("inpaint:ns", {"hidden": True}, "paints pictures only"),
        ("inpaint:ns", {"shape": (1, 8, 8, 8)}, "paints pictures only"),
    ],
)
def test_specs_that_cannot_be(text, further, message):
    with pytest.raises(SamplerError, match=message):
        spec(text, **further)


def test_it_says_how_to_get_opencv(monkeypatch, picture):
    real = builtins.__import__

    def without_opencv(name, *others):
        if name == "cv2":
            raise ImportError(name)
        return real(name, *others)

    monkeypatch.setattr(builtins, "__import__", without_opencv)
    with pytest.raises(SamplerError, match=r"needs OpenCV: pip install 'preddiff\[inpaint\]'"):
        spec("inpaint:telea").draw(picture, PAIR, 1, 0, None)


class Pipeline:
    """Stands in for a pipeline of diffusers: the same arguments, noise for a result."""

    device = "cpu"

    def __call__(
        self, *, prompt, image, mask_image, num_images_per_prompt, height, width, output_type,
        generator,
    ):  # fmt: skip
        assert image.shape == (1, 3, height, width)
        assert mask_image.shape == (1, 1, height, width)
        assert output_type == "np"
        size = (num_images_per_prompt, height, width, 3)
        return SimpleNamespace(images=torch.rand(size, generator=generator).numpy())


def test_the_diffusion_model_of_the_documentation(monkeypatch, tmp_path, picture):
    text = (Path(__file__).parents[2] / "docs/samplers.md").read_text(encoding="utf-8")
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "diffusers" in b)
    loader = SimpleNamespace(from_pretrained=lambda name: Pipeline())
    monkeypatch.setitem(sys.modules, "diffusers", SimpleNamespace(AutoPipelineForInpainting=loader))
    asked = {}
    monkeypatch.setattr(preddiff, "explain", lambda model, path, **settings: asked.update(settings))
    exec(block, {})  # noqa: S102 - our own documentation
    sampler = asked.pop("sampler")
    drawn = sampler.draw(picture, PAIR, 2, 0, (0, 1))
    assert drawn.shape == (len(PAIR), 2, 3, 3, 3)
    assert len(np.unique(drawn)) > drawn.size / 2
    monkeypatch.undo()
    e = preddiff.explain(
        Softmax(picture.shape), picture, sampler=sampler, **{**asked, "regions": "2x2", "sets": 100}
    )
    assert np.isfinite(e.relevance).all()
