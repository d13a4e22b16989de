"""Boxes are held against whole forward passes while a run goes on, and everywhere before it."""

import numpy as np
import pytest
import torch

import preddiff
from preddiff.engines import watch
from preddiff.engines.incremental import Incremental
from preddiff.errors import EngineWarning
from preddiff.media import kept

WINDOWS = {"targets": 0, "window": 4, "stride": 2, "samples": 4, "sampler": "constant:0"}


def broken(monkeypatch, corner, after=0):
    """Boxes whose values are off where a window lies in one corner, after so many calls."""
    right = Incremental.raw
    calls = [0]

    def raw(self, starts, draws):
        calls[0] += 1
        rows = right(self, starts, draws).clone()
        if calls[0] > after:
            hit = torch.from_numpy((starts == corner).all(axis=1).repeat(draws.shape[1]))
            rows[hit] += 0.3 * (rows.max() - rows.min())
        return rows

    monkeypatch.setattr(Incremental, "raw", raw)


@pytest.mark.parametrize("corner", [(0, 0), (0, 12), (12, 0), (12, 12)])
def test_a_network_broken_in_one_corner_is_caught(rng, small_network, monkeypatch, corner):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    expected = preddiff.explain(small_network, inputs, engine="dense", **WINDOWS)
    broken(monkeypatch, corner)
    with pytest.warns(EngineWarning, match="whole forward passes, as recomputing boxes went wrong"):
        found = preddiff.explain(small_network, inputs, engine="incremental", **WINDOWS)
    assert found.provenance["engine"] == "dense"
    np.testing.assert_array_equal(found.evidence, expected.evidence)


def test_what_goes_wrong_in_the_middle_of_a_run_is_done_again(
    rng, small_network, monkeypatch, tmp_path
):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    expected = preddiff.explain(small_network, inputs, engine="dense", **WINDOWS)
    broken(monkeypatch, (4, 4), after=1)
    monkeypatch.setattr(watch, "_DRAWS_PER_CHECK", 1e-3)
    monkeypatch.setattr(Incremental, "saved", lambda *_: 1.0)
    monkeypatch.setenv(kept.FOLDER_VARIABLE, str(tmp_path))
    with pytest.warns(EngineWarning, match="from the beginning, as .* wrong in the window at 4, 4"):
        found = preddiff.explain(small_network, inputs, engine="incremental", **WINDOWS)
    assert found.provenance["engine"] == "dense"
    # Nor does the next run find them right, as the check before this one did.
    assert '"right": true' not in "".join(path.read_text() for path in tmp_path.glob("*.json"))
    np.testing.assert_array_equal(found.evidence, expected.evidence)


def test_boxes_that_fail_in_the_middle_of_a_run_lose_nothing(rng, small_network, monkeypatch):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    right = Incremental.raw

    def raw(self, starts, draws):
        if len(starts) == 16:
            raise RuntimeError("no such kernel")
        return right(self, starts, draws)

    monkeypatch.setattr(Incremental, "raw", raw)
    with pytest.warns(EngineWarning, match="boxes failed") as caught:
        found = preddiff.explain(small_network, inputs, engine="incremental", **WINDOWS)
    assert found.provenance["engine"] == "dense"
    assert "no such kernel" in {getattr(each.message, "why", "") for each in caught}


def test_looking_costs_less_than_two_percent_of_a_run(rng, small_network, monkeypatch):
    engine = Incremental(
        preddiff.load_model(small_network), rng.random((3, 16, 16), "f4"), [0], (4, 4)
    )
    looked = []
    monkeypatch.setattr(watch.Watched, "_look_at", lambda self, *_: looked.append(1))
    starts = np.zeros((10, 2), dtype=np.int64)
    watched = watch.watched(engine, starts, seed=0)
    draws = rng.random((10, 100, 3, 4, 4)).astype(np.float32)
    for _ in range(4):
        watched.evaluate(starts, draws)
    assert 1 <= len(looked) * engine.saved(starts) <= 0.02 * 4000
