"""Exemplar: patches that fit are found, blended, and drawn without replacement."""

import numpy as np
import pytest
from PIL import Image

import preddiff
from conftest import Softmax
from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import Exemplar
from preddiff.samplers.exemplar import harmonic
from preddiff.samplers.load import load_sampler, read_sampler


def sampler_of(rng, count=40, choices=5, **settings):
    patches = rng.random((count, 3, 6, 6))
    return Exemplar(patches.reshape(count, -1), (3, 6, 6), choices=choices, **settings), patches


def test_of_a_picture_that_is_known_the_window_is_found_again(rng):
    sampler, patches = sampler_of(rng, choices=1)
    picture = np.full((3, 20, 20), 0.5, dtype=np.float32)
    picture[:, 7:13, 4:10] = patches[17]
    truth = picture[:, 9:11, 6:8].copy()
    picture[:, 9:11, 6:8] = rng.random((3, 2, 2))  # what the window holds is not looked at
    windows = Windows((20, 20), (2, 2), np.array([[9, 6]]))
    found = sampler.draw(picture, windows, 1, 0, (0, 1))[0, 0]
    np.testing.assert_allclose(found, truth, atol=1e-6)


def test_those_that_fit_best_are_drawn_once_each(rng):
    sampler, patches = sampler_of(rng)
    picture = rng.random((3, 6, 6)).astype(np.float32)
    windows = Windows((6, 6), (2, 2), np.array([[2, 2]]))
    draws = sampler.draw(picture, windows, 5, 3, None)[0]
    rim = np.ones((6, 6), dtype=bool)
    rim[2:4, 2:4] = False
    square = ((patches - picture)[:, :, rim] ** 2).sum(axis=(1, 2))
    film = harmonic((6, 6), (2, 2), (2, 2))
    expected = [
        p[:, 2:4, 2:4] + ((picture - p)[:, rim] @ film.T).reshape(3, 2, 2)
        for p in patches[np.argsort(square)[:5]]
    ]
    order = [int(np.argmin([np.abs(d - e).max() for e in expected])) for d in draws]
    assert sorted(order) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(draws, [expected[i] for i in order], atol=1e-5)
    assert sampler.population == 5


def test_a_soap_film_continues_planes_also_at_the_border():
    y, x = np.meshgrid(np.arange(6.0), np.arange(6.0), indexing="ij")
    plane = 2 * y - x
    inside = np.zeros((6, 6), dtype=bool)
    inside[1:4, 2:4] = True
    film = harmonic((6, 6), (1, 2), (3, 2))
    np.testing.assert_allclose(film @ plane[~inside], plane[inside])
    corner = harmonic((6, 6), (0, 0), (3, 3))
    np.testing.assert_allclose(corner.sum(axis=1), 1)


def test_a_draw_depends_on_seed_place_and_number_alone(rng):
    """Also of flat patches, of which many are the same."""
    picture = rng.random((3, 24, 24)).astype(np.float32)
    picture[:, :12] = 0.3
    flat = np.full((2, 3, 24, 24), 0.3)
    flat[:, :, ::7, ::7] = rng.random((2, 3, 4, 4))
    sampler = Exemplar.fit([*flat, rng.random((3, 24, 24))], 4)
    windows = Windows.over((24, 24), 2)
    every = sampler.draw(picture, windows, 5, 1, (0, 1))
    which = rng.permutation(len(windows))[:40]
    some = sampler.draw(picture, windows.subset(which), 2, 1, (0, 1))
    np.testing.assert_allclose(some, every[which, :2], atol=1e-6)
    assert (sampler.draw(picture, windows, 5, 2, (0, 1)) != every).any()
    assert 0 <= every.min() < every.max() <= 1


def test_the_closed_form_is_the_mean_of_all_draws(rng):
    sampler, _ = sampler_of(rng)
    picture, weights = rng.random((3, 12, 12)).astype(np.float32), rng.normal(size=(2, 3, 12, 12))
    windows = Windows.over((12, 12), 2)
    every = np.mean([mean for mean, _ in sampler.project(weights, picture, windows)], axis=0)
    draws = sampler.draw(picture, windows, 5, 7, None).mean(axis=1)
    for n, (y, x) in enumerate(windows.starts):
        part = (..., slice(y, y + 2), slice(x, x + 2))
        expected = (weights[part] * (draws[n] - picture[part])).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(every[:, n], expected, atol=1e-5)


def test_places_of_any_shape_are_hidden(rng):
    sampler, _ = sampler_of(rng)
    picture = rng.random((3, 12, 12)).astype(np.float32)
    hidden = np.zeros((12, 12), dtype=bool)
    hidden[2:7, 3:5] = hidden[6, 3:9] = True
    other = np.where(hidden, 0, picture).astype(np.float32)
    draws = sampler.hide(picture, hidden, 3, 0, (0, 1))
    np.testing.assert_array_equal(draws[:, :, ~hidden], np.stack([picture] * 3)[:, :, ~hidden])
    assert (draws[:, :, hidden] != picture[:, hidden]).all(axis=1).all()
    np.testing.assert_array_equal(sampler.hide(other, hidden, 3, 0, (0, 1)), draws)


def test_a_folder_explains_a_picture(rng, tmp_path):
    for n in range(3):
        noise = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{n}.png")
    picture = rng.random((3, 24, 24)).astype(np.float32)
    settings = {"sampler": f"exemplar:{tmp_path}", "window": 3, "margin": 1, "stride": 3}
    e = preddiff.explain(Softmax(picture.shape), picture, samples=4, **settings)
    assert e.provenance["sampler"].startswith("exemplar:")
    assert (e.evidence_error > 0).all()
    e = preddiff.explain(Softmax(picture.shape), picture, samples=50, **settings)
    assert not e.evidence_error.any()


def test_it_is_saved_and_cut(rng, tmp_path):
    sampler, patches = sampler_of(rng)
    sampler.save(tmp_path / "e.npz")
    assert read_sampler(tmp_path / "e.npz").sha256 == sampler.sha256
    found = load_sampler(
        f"exemplar:{tmp_path}/e.npz", shape=(3, 9, 9), window=2, margin=1, prepare=None, mean=None
    )
    np.testing.assert_array_equal(
        found.patches.reshape(40, 3, 4, 4), patches[:, :, 1:5, 1:5].astype(np.float32)
    )


def test_what_is_no_exemplar_is_refused(rng):
    with pytest.raises(SamplerError, match="exemplar: takes patches of other inputs"):
        load_sampler("exemplar", shape=(3, 9, 9), window=2, margin=1, prepare=None, mean=None)
    with pytest.raises(SamplerError, match="exemplar:there: takes patches of pictures and volumes"):
        load_sampler(
            "exemplar:there", shape=(3, 9, 9), window=2, margin=1, prepare=None, mean=None,
            hidden=True,
        )  # fmt: skip
    with pytest.raises(SamplerError, match=r"\(4, 108\) and 5 choices: expected at least as many"):
        sampler_of(rng, count=4)
    with pytest.raises(SamplerError, match="channels='independent': a patch has all"):
        Exemplar.fit(rng.random((9, 2, 12, 12)), 3, "independent")
