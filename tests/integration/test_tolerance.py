"""Stopping at a tolerance: early, near the full result, with what it asks for."""

import math

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from integration.test_logistic_model import estimates_of_seeds, expected_probability, setting
from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian, Constant, Marginal

WISH = {"targets": 1, "window": 6, "samples": 10, "train_size": math.inf}


@pytest.fixture(scope="module")
def picture():
    """An eye of a cat."""
    from skimage import data

    return data.chelsea()[90:138, 100:148].transpose(2, 0, 1).astype(np.float32) / 255


def local(inputs):
    """A classifier that looks at one place more than at others."""
    y, x = np.mgrid[:48, :48]
    weights = np.exp(-((y - 20) ** 2 + (x - 30) ** 2) / 60) - 0.4 * np.exp(-((y - 30) ** 2) / 90)
    logits = 0.3 * ((inputs - 0.5) * weights).sum(axis=(1, 2, 3), dtype=np.float64)
    p = 1 / (1 + np.exp(-logits))
    return np.stack([1 - p, p], axis=1)


@pytest.fixture(scope="module")
def full(picture):
    """The map by many more draws."""
    return preddiff.explain(local, picture, tolerance=1e-9, **{**WISH, "samples": 60})


@pytest.mark.parametrize("tolerance", [0.3, 0.15])
def test_it_stops_when_it_is_precise_enough(full, picture, tolerance):
    e = preddiff.explain(local, picture, tolerance=tolerance, **WISH)
    assert e.provenance["relative_error"] < tolerance
    assert e.provenance["antithetic"]
    assert len(e.evidence.window) * 4 + 1 == e.provenance["evaluations"]
    assert e.provenance["evaluations"] < full.provenance["evaluations"] / 10
    off = (e.relevance - full.relevance).values
    own = full.provenance["relative_error"]
    true = np.sqrt(np.nanmean(off**2) / np.nanmean(full.relevance**2))
    assert np.sqrt(max(0, true**2 - own**2)) < 1.15 * tolerance
    errors = np.hypot(e.standard_error, full.standard_error).values
    assert 0.88 < np.nanmean(np.abs(off) < 1.96 * errors) <= 1


def test_the_same_run_stops_at_the_same_window(picture):
    one, two = (preddiff.explain(local, picture, tolerance=0.15, **WISH) for _ in range(2))
    np.testing.assert_array_equal(one.relevance, two.relevance)


def test_out_of_reach_all_windows_have_all_draws(picture):
    e = preddiff.explain(local, picture, tolerance=1e-6, stride=6, **WISH)
    windows = Windows.over((48, 48), 6, 6)
    assert len(e.evidence.window) == len(windows)
    assert e.provenance["evaluations"] == 1 + 10 * len(windows)
    assert e.provenance["relative_error"] > 1e-6


def test_a_callback_sees_the_map_grow(picture, monkeypatch):
    from preddiff.method import monitor
    from preddiff.pipeline import run_of_windows

    monkeypatch.setattr(run_of_windows, "_MAX_DRAWS_HELD", 400)
    monkeypatch.setattr(monitor, "_SECONDS_BETWEEN_MAPS", 0.0)
    seen = []
    e = preddiff.explain(local, picture, tolerance=0.1, callback=seen.append, **WISH)
    counts = [len(each.evidence.window) for each in seen]
    assert counts == sorted(counts)
    assert len(counts) > 3
    np.testing.assert_array_equal(seen[-1].relevance, e.relevance)
    early = next(each for each in seen if len(each.evidence.window) > 150)
    assert np.isfinite(early.relevance).mean() > 0.95  # already covers the picture
    assert (early.provenance["relative_error"] or 1) > e.provenance["relative_error"]


def test_progress_foresees_where_it_will_stop(picture, monkeypatch):
    from preddiff.pipeline import run_of_windows

    monkeypatch.setattr(run_of_windows, "_MAX_DRAWS_HELD", 200)
    told = []
    preddiff.explain(local, picture, tolerance=0.1, progress=lambda *now: told.append(now), **WISH)
    at_most = 2 * len(Windows.over((48, 48), 6))
    assert told[0][1] == at_most  # before anything is known
    assert told[-1][0] == told[-1][1] < at_most
    halfway = told[len(told) // 2][1]
    assert told[-1][0] / 2 < halfway < 2 * told[-1][0]


def test_a_run_with_a_tolerance_says_how_sure_it_is(picture, capsys):
    e = preddiff.explain(local, picture, tolerance=0.3, progress=True, **WISH)
    told = capsys.readouterr().err
    assert "Checking the engine on a few windows…" in told.splitlines()[0]
    assert ". Probably about" in told
    assert "; stops once the relative error is below 30 %" in told
    assert "windows × up to 10 draws" in repr(e)
    said = f"relative error {100 * e.provenance['relative_error']:.2g} %"
    assert e.relative_error_text == said
    assert preddiff.figure(e).get_supxlabel() == said


def test_interrupted_work_goes_on(picture, tmp_path, monkeypatch):
    from preddiff.pipeline import run_of_windows
    from preddiff.results import checkpoint

    monkeypatch.setattr(run_of_windows, "_MAX_DRAWS_HELD", 200)
    monkeypatch.setattr(checkpoint, "_SHARE_OF_TIME", 1.0)
    expected = preddiff.explain(local, picture, tolerance=0.1, **WISH)

    def stop(done, of):
        if done > 200:
            raise KeyboardInterrupt

    file = tmp_path / "unfinished.npz"
    with pytest.raises(KeyboardInterrupt):
        preddiff.explain(local, picture, tolerance=0.1, progress=stop, checkpoint=file, **WISH)
    e = preddiff.explain(local, picture, tolerance=0.1, checkpoint=file, **WISH)
    np.testing.assert_allclose(e.relevance, expected.relevance, atol=1e-12)


def test_pairs_mirror_each_other_around_the_mean(rng, picture):
    sampler = ConditionalGaussian.natural(8, clip=False).paired()
    windows = Windows.over((48, 48), 6, 20)
    draws = sampler.draw(picture, windows, 6, 3, None)
    means, _ = sampler.moments(picture, windows)
    pairs = draws.reshape(len(windows), 3, 2, -1)
    np.testing.assert_allclose(pairs.mean(axis=2), np.repeat(means[:, None], 3, 1), atol=1e-6)
    np.testing.assert_array_equal(sampler.draw(picture, windows, 4, 3, None), draws[:, :4])
    assert not np.allclose(pairs[:, 0], pairs[:, 1])


def test_other_samplers_have_no_pairs(rng):
    for sampler in (Constant(0.5), Marginal(rng.random((5, 3, 8, 8)))):
        assert sampler.paired() is sampler
        assert sampler.group == 1


def test_a_constant_needs_no_draws_for_its_error(picture):
    e = preddiff.explain(local, picture, tolerance=0.05, sampler="constant:0.2", **WISH)
    assert e.provenance["samples"] == 1
    assert e.provenance["evaluations"] < 0.7 * len(Windows.over((48, 48), 6))


def test_log_odds_of_few_draws_are_not_biased(rng):
    """Two pairs a window, 400 seeds: the mean is the closed form's; uncorrected it is not."""
    model, inputs, sampler, windows = setting(rng, (1, 6, 6), 3, 5)
    p = expected_probability(model, inputs, sampler, windows)
    base = float(model.predict(inputs[None])[0, 1])
    truth = np.log2(base / (1 - base)) - np.log2(p / (1 - p))
    wish = {"window": 3, "samples": 4, "train_size": math.inf, "targets": 1, "engine": "dense"}

    def mean_of(**settings):
        found = estimates_of_seeds(400, model, inputs, sampler=sampler, **wish, **settings)
        values = np.array([each.evidence[0] for each in found])
        return values.mean(axis=0) - truth, values.std(axis=0) / 20

    off, error = mean_of(tolerance=1e-9)
    plain, plain_error = mean_of()
    assert np.abs(off.mean()) < 3 * error.mean() / math.sqrt(len(windows))
    assert np.abs(off / error).max() < 4
    assert np.abs(plain.mean()) > 3 * plain_error.mean() / math.sqrt(len(windows))
    assert np.abs(off.mean()) < np.abs(plain.mean()) / 3


def test_several_targets_are_all_precise_enough(picture):
    model = Softmax(picture.shape, classes=4, scale=20)
    e = preddiff.explain(model, picture, tolerance=0.3, **{**WISH, "targets": "all"})
    for target in range(4):
        error = np.sqrt(np.nanmean(e.standard_error[target] ** 2))
        assert error < 0.3 * np.sqrt(np.nanmean(e.relevance[target] ** 2))
