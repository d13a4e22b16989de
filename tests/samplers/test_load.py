from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.samplers import (
    ChannelwiseGaussian,
    ConditionalGaussian,
    Constant,
    Marginal,
    StationaryGaussian,
    files,
)
from preddiff.samplers.load import LOADERS, load_sampler, read_sampler, sampler_name


def spec(text, shape=(3, 20, 20), window=4, margin=2, **further):
    further = {"prepare": None, "mean": None, **further}
    return load_sampler(text, shape=shape, window=window, margin=margin, **further)


def test_specs():
    assert spec("conditional").shape == (3, 8, 8)
    assert spec("conditional", shape=(1, 20, 20)).shape == (1, 8, 8)
    assert type(spec("conditional", window=28)) is ConditionalGaussian
    assert type(spec("conditional", window=29)) is StationaryGaussian
    assert spec("conditional", window=40, shape=(1, 20, 20)).shape == (1, 44, 44)
    assert spec("constant:0.5").value == 0.5
    assert spec("constant:mean", mean=np.array([0.1, 0.2, 0.3])).value.tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": "conditonal"}, "unknown sampler 'conditonal': expected .*nearest: conditional"),
        ({"text": "constant:grey"}, "constant:grey: expected a number, or mean"),
        ({"text": "constant:mean"}, "does not say the mean"),
        ({"text": "marginal:/nowhere"}, "/nowhere: no such folder"),
        ({"text": "conditional", "shape": (4, 20, 20)}, "has 4 channels"),
        ({"text": "conditional", "shape": (1, 20, 20, 20)}, "has 3 spatial dimensions"),
        ({"text": "conditional", "margin": 0}, "margin=0 leaves no room"),
        ({"text": "conditional:/nowhere.npz"}, "/nowhere.npz: no such sampler file"),
    ],
)
def test_specs_that_cannot_be(arguments, message):
    with pytest.raises(Exception, match=message) as caught:
        spec(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", LOADERS)
def test_every_name_has_a_loader(name):
    module, _, function = LOADERS[name].location.partition(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (
            None,
            "sampler=None: expected conditional, conditional:FILE, student, student:FILE",
        ),
        (0.5, "sampler=a float: expected conditional, .* or an object of samplers.Sampler"),
        (np.zeros((40, 40)), "sampler=a ndarray: expected conditional"),
        (Path("mine.npz"), "sampler=a .*Path: expected conditional"),
        (Constant, r"sampler=Constant is a class: expected an object, Constant\(...\)"),
        (SimpleNamespace(draw=1, group=1), "has no population, paired, sha256, check: derive it"),
    ],
)
def test_what_is_no_sampler_is_refused(sampler, message):
    with pytest.raises(SamplerError, match=message) as caught:
        spec(sampler)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hidden", "message"),
    [
        ("marginal", False, "none are given: expected marginal:FOLDER"),
        ("constant", False, "constant: expected a number, or mean"),
        (
            "conditional",
            True,
            "'conditional': of a hidden node, expected conditional:FOLDER .*FILE",
        ),
        ("gauss", True, "unknown sampler 'gauss'"),
    ],
)
def test_names_that_lack_an_argument_are_refused(text, hidden, message):
    with pytest.raises(SamplerError, match=message):
        spec(text, hidden=hidden)


def channelwise(rng):
    return ChannelwiseGaussian.fit(rng.normal(size=(6, 2, 16, 16)), patch=8)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("name", ["conditional", "channelwise", "marginal", "constant"])
def test_every_sampler_that_was_saved_has_a_spec(tmp_path, rng, name, hidden):
    """Of hidden values too, which could be saved but not be named before."""
    sampler = {
        "conditional": lambda: ConditionalGaussian.natural(8),
        "channelwise": lambda: channelwise(rng),
        "marginal": lambda: Marginal(rng.random((3, 3, 20, 20))),
        "constant": lambda: Constant([0.1, 0.2, 0.3]),
    }[name]()
    sampler.save(tmp_path / "s.npz")
    prefix = "conditional" if name == "channelwise" else name
    loaded = spec(f"{prefix}:{tmp_path}/s.npz", hidden=hidden)
    assert type(loaded) is type(sampler)
    assert loaded.sha256 == sampler.sha256
    assert read_sampler(tmp_path / "s.npz").sha256 == sampler.sha256


def test_a_channelwise_file_serves_by_its_central_part(tmp_path, rng):
    sampler = channelwise(rng)
    sampler.save(tmp_path / "s.npz")
    loaded = spec(f"conditional:{tmp_path}/s.npz", margin=1, hidden=True)
    assert [each.shape for each in loaded.channels] == [(1, 6, 6)] * 2
    np.testing.assert_array_equal(loaded.high, sampler.high)


def test_a_file_of_another_name_says_which(tmp_path):
    Constant(1).save(tmp_path / "s.npz")
    with pytest.raises(SamplerError, match="holds a constant sampler, .* write constant:/"):
        spec(f"conditional:{tmp_path}/s.npz")


def test_a_file_is_read_once(tmp_path, monkeypatch):
    ConditionalGaussian.natural(8).save(tmp_path / "s.npz")
    reads, read = [], files.read
    monkeypatch.setattr(files, "read", lambda path: reads.append(path) or read(path))
    spec(f"conditional:{tmp_path}/s.npz")
    assert len(reads) == 1
    read_sampler(tmp_path / "s.npz")
    assert len(reads) == 2


def test_a_name_in_a_result_holds_no_folder():
    assert sampler_name("conditional:/home/me/brain.npz") == "conditional:brain.npz"
    assert sampler_name("conditional") == "conditional"
    assert sampler_name(Constant(0)) == "Constant"
