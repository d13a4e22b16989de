"""Explanations by sets of windows, through the front door."""

import math

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import EngineWarning, ResultError, SettingError
from preddiff.results import store
from preddiff.samplers import Marginal

SHAPE = (3, 16, 16)
ASKED = {
    "sampler": "constant:0.5", "window": 4, "targets": 1, "train_size": math.inf,
}  # fmt: skip


@pytest.fixture
def picture(rng):
    return rng.random(SHAPE).astype(np.float32)


def logistic(inputs):
    """Log-odds that are a sum over pixels."""
    weights = np.random.default_rng(1).normal(size=SHAPE) / 20
    p = 1 / (1 + np.exp(-(inputs.astype(np.float64) * weights).sum(axis=(1, 2, 3))))
    return np.stack([1 - p, p], axis=1)


def either(inputs):
    """Sure as long as the top left or the bottom right window is lighter than the grey of 0.5."""
    seen = [
        inputs[:, :, part, part].mean(axis=(1, 2, 3)) > 0.55 for part in (slice(4), slice(12, 16))
    ]
    p = np.where(seen[0] | seen[1], 0.9, 0.1)
    return np.stack([1 - p, p], axis=1)


def test_evidence_that_adds_up_is_the_same_hidden_alone_or_together(picture):
    alone = preddiff.explain(logistic, picture, stride=4, **ASKED)
    together = preddiff.explain(logistic, picture, sets=300, **ASKED)
    np.testing.assert_allclose(together.relevance, alone.relevance, atol=1e-6)
    assert together.provenance["sets"] == 300
    assert together.provenance["stride"] == 4
    assert together.provenance["evaluations"] == 301


def test_only_sets_show_what_two_parts_say_twice(picture):
    bright = np.maximum(picture, 0.6)
    alone = preddiff.explain(either, bright, stride=4, **ASKED)
    assert np.abs(alone.relevance).max() < 1e-6
    together = preddiff.explain(either, bright, sets=900, **ASKED)
    bits = math.log2(81)
    expected = np.zeros((16, 16))
    expected[:4, :4] = expected[12:, 12:] = 0.3 * bits  # the mean of the rates
    off = np.abs(together.relevance[0] - expected)
    assert (off < 4 * together.standard_error[0] + 1e-6).all()
    assert (together.relevance[0] > 0.75 * bits * 0.3).values.sum() == 32


@pytest.mark.parametrize("sampler", ["conditional", "blurred", "constant:0.5"])
def test_the_same_command_gives_the_same_map(picture, sampler):
    asked = {**ASKED, "sampler": sampler, "sets": 180}
    one, two = (preddiff.explain(Softmax(SHAPE), picture, **asked) for _ in range(2))
    np.testing.assert_array_equal(one.relevance, two.relevance)
    assert np.isfinite(one.relevance).all()
    assert np.isfinite(one.standard_error).all()


def test_a_run_that_was_interrupted_goes_on_to_the_same_map(picture, tmp_path, monkeypatch):
    from preddiff.results import checkpoint

    monkeypatch.setattr(checkpoint, "_SHARE_OF_TIME", 1.0)
    asked = {**ASKED, "sampler": "conditional", "sets": 200, "samples": 2}
    expected = preddiff.explain(Softmax(SHAPE), picture, **asked)

    def stop(done, of):
        assert of == 200
        if done >= 90:
            raise KeyboardInterrupt

    file = tmp_path / "work.npz"
    with pytest.raises(KeyboardInterrupt):
        preddiff.explain(Softmax(SHAPE), picture, progress=stop, checkpoint=file, **asked)
    with pytest.raises(ResultError, match="unfinished work, but not of what is asked for now"):
        preddiff.explain(Softmax(SHAPE), picture, checkpoint=file, **{**asked, "sets": 210})
    counts = []
    resumed = preddiff.explain(
        Softmax(SHAPE), picture, progress=lambda done, _of: counts.append(done), checkpoint=file,
        **asked,
    )  # fmt: skip
    assert counts[0] == 100
    np.testing.assert_array_equal(resumed.relevance, expected.relevance)
    assert not file.exists()


def test_a_tolerance_stops_early(picture):
    seen = []
    e = preddiff.explain(
        logistic, picture, sets=6000, tolerance=0.2, callback=seen.append,
        **{**ASKED, "sampler": "conditional"},
    )  # fmt: skip
    assert e.provenance["relative_error"] < 0.2
    assert e.provenance["evaluations"] < 3000
    assert "up to 6,000 random sets" in repr(e)
    assert len(seen) >= 1


def test_results_say_how_many_sets_were_hidden(picture):
    e = preddiff.explain(logistic, picture, sets=175, **ASKED)
    assert e.provenance["sets"] == 180
    assert e.provenance["evaluations"] == 181
    assert ": 16 windows, 180 random sets" in repr(e)


def test_windows_that_overlap_show_more_detail(picture):
    e = preddiff.explain(logistic, picture, sets=1200, stride=2, **ASKED)
    alone = preddiff.explain(logistic, picture, stride=2, **ASKED)
    np.testing.assert_allclose(e.relevance, alone.relevance, atol=1e-6)


def test_several_targets_cost_no_more(picture):
    e = preddiff.explain(Softmax(SHAPE), picture, sets=120, **{**ASKED, "targets": "all"})
    assert e.relevance.shape == (3, 16, 16)
    assert e.provenance["evaluations"] == 121


def test_scans_with_a_mask(rng):
    scan = rng.random((1, 12, 12, 12)).astype(np.float32)
    mask = np.zeros((12, 12, 12), dtype=bool)
    mask[2:9, 2:9, 2:9] = True
    pool = rng.random((8, 1, 12, 12, 12)).astype(np.float32)
    model = Softmax(scan.shape, classes=2)
    e = preddiff.explain(
        model, scan, targets=1, sampler=Marginal(pool), window=3, sets=180, mask=mask
    )
    assert e.relevance.shape == (1, 12, 12, 12)
    assert np.isfinite(e.relevance.values[0][mask]).all()
    assert np.isnan(e.relevance.values[0, 11, 11, 11])


def test_hidden_nodes(small_network, picture):
    e = preddiff.explain(
        small_network, picture, source="1", window=4, sets=120, sampler="constant:0", targets=0
    )
    assert np.isfinite(e.relevance).all()
    e = preddiff.explain(
        small_network, picture, node="3", window=4, sets=120, sampler="constant:0.5", targets=2
    )
    assert e.unit == "activation"


def test_results_figures_and_pages_say_that_sets_were_hidden(picture, tmp_path):
    e = preddiff.explain(Softmax(SHAPE), picture, sets=120, **ASKED)
    store.save(e, tmp_path / "a.zarr")
    again = preddiff.load(tmp_path / "a.zarr")
    np.testing.assert_array_equal(again.relevance, e.relevance)
    assert "120 random sets of windows × 1 draw," in repr(again)
    page = preddiff.page(again, tmp_path / "a.html").read_text()
    assert "one of 120 random sets of windows (4×4)" in page


def test_boxes_are_not_for_sets(picture):
    with pytest.raises(SettingError, match="engine='incremental': sets of windows change most"):
        preddiff.explain(logistic, picture, sets=10, engine="incremental", **ASKED)
    with pytest.raises(
        SettingError, match="sets=80: too few to .* of .* windows: .* at least 90; 1"
    ):
        preddiff.explain(logistic, picture, sets=80, **ASKED)
    with pytest.raises(SettingError, match="sets=300: .* at least 360; .* .stride=4. need 90"):
        preddiff.explain(logistic, picture, sets=300, stride=2, **ASKED)
    with pytest.raises(SettingError, match="sets=0: expected a whole number of at least 1"):
        preddiff.explain(logistic, picture, sets=0, **ASKED)


def test_few_sets_for_many_windows_are_named(rng):
    picture = rng.random((3, 32, 32)).astype(np.float32)
    with pytest.warns(EngineWarning, match="sets=90: few for 256 windows, .* take 300 or more"):
        preddiff.explain(
            Softmax(picture.shape), picture, sets=90, window=2, sampler="constant:0.5", targets=0
        )
