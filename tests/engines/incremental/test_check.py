"""Boxes are held against whole forward passes before a run."""

import numpy as np
import pytest

import preddiff
from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental.check import deviation, first_wrong_node
from preddiff.engines.incremental.execute.reach import Interval, Sliding
from preddiff.errors import EngineWarning
from preddiff.models.networks.network import Network


def broken(monkeypatch):
    """Boxes of pooling that are one place too short."""
    right = Sliding.reach

    def short(self, inputs):
        low, high = right(self, inputs)
        return Interval(low, high - 1) if self.stride == 2 else Interval(low, high)

    monkeypatch.setattr(Sliding, "reach", short)


def test_a_wrong_box_is_noticed_and_named(rng, small_network, monkeypatch):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    wish = {"targets": 0, "window": 5, "stride": 3, "samples": 2}
    expected = preddiff.explain(small_network, inputs, engine="dense", **wish)
    broken(monkeypatch)
    with pytest.warns(EngineWarning, match="whole forward passes, as .* went wrong at _2 "):
        e = preddiff.explain(small_network, inputs, engine="incremental", **wish)
    assert e.provenance["engine"] == "dense"
    np.testing.assert_array_equal(e.evidence, expected.evidence)


def test_the_deviation_is_a_share_of_the_outputs_range(rng, small_network, monkeypatch):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    engine = Incremental(Network(small_network), inputs, [0], (4, 4))
    starts = np.array([[0, 0], [12, 5]])
    draws = rng.random((2, 2, 3, 4, 4)).astype(np.float32)
    assert deviation(engine, starts, draws) < 1e-6
    assert first_wrong_node(engine, starts, draws) is None
    right = engine.raw(starts, draws)
    scale = right.max() - right.min()
    monkeypatch.setattr(engine, "raw", lambda *_: right + 0.25 * scale)
    assert deviation(engine, starts, draws) == pytest.approx(0.25, rel=1e-3)
