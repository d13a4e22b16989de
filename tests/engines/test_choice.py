"""Which engine, precision and batch are chosen."""

import math
import time
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from preddiff.engines import choice, precision
from preddiff.engines.incremental import Incremental
from preddiff.errors import EngineWarning, SettingError
from preddiff.models.networks.network import Network
from small_networks import conv


class Untraceable(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = conv(3, 4)

    def forward(self, x):
        return self.layer(x).mean((2, 3)) if x.sum() > -1e9 else x


def test_what_cannot_be_traced_is_run_whole(rng):
    inputs = rng.random((3, 12, 12)).astype(np.float32)
    wish = {"targets": 0, "window": 5, "samples": 2}
    with pytest.warns(EngineWarning, match="cannot be traced"):
        e = preddiff.explain(Untraceable().eval(), inputs, **wish)
    assert e.provenance["engine"] == "dense"


def test_other_models_have_no_boxes(rng):
    inputs = rng.random((3, 12, 12)).astype(np.float32)

    def model(x):
        return np.full((len(x), 2), 0.5)

    wish = {"targets": 0, "window": 5, "stride": 3, "samples": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert preddiff.explain(model, inputs, **wish).provenance["engine"] == "dense"
    with pytest.raises(SettingError, match="engine='incremental': .* is no torch network"):
        preddiff.explain(model, inputs, engine="incremental", **wish)
    with pytest.raises(SettingError, match="precision='bfloat16': only the incremental engine"):
        preddiff.explain(model, inputs, precision="bfloat16", **wish)
    with pytest.raises(SettingError, match="device='cuda': .* is no torch network"):
        preddiff.explain(model, inputs, device="cuda", **wish)


def test_a_device_that_is_not_there(rng, small_network):
    if torch.cuda.is_available():
        pytest.skip("there is one here")
    with pytest.raises(SettingError, match="device='cuda': cannot be used here"):
        preddiff.explain(small_network, rng.random((3, 16, 16)), device="cuda")


def test_a_precision_that_an_operation_does_not_know(rng, small_network, monkeypatch):
    right = Incremental._traced

    def traced(self):
        if self.dtype == torch.bfloat16:
            raise NotImplementedError("\"avg_pool3d\" not implemented for 'BFloat16'")
        return right(self)

    monkeypatch.setattr(Incremental, "_traced", traced)
    monkeypatch.setattr(precision, "shorter", lambda device: ["bfloat16"])
    monkeypatch.setattr(choice, "_DRAWS_WORTH_TRYING", 0)
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    wish = {"window": 6, "stride": 4, "samples": 2, "engine": "incremental"}
    e = preddiff.explain(small_network, inputs, **wish)
    assert e.provenance["precision"] == "float32"
    with pytest.raises(SettingError, match="precision='bfloat16': .*avg_pool3d.*; choose"):
        preddiff.explain(small_network, inputs, precision="bfloat16", **wish)


def test_a_shorter_precision_says_its_error(rng, small_network):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    wish = {"targets": 1, "window": 6, "stride": 2, "samples": 4, "engine": "incremental"}
    right = preddiff.explain(small_network, inputs, precision="float32", **wish)
    e = preddiff.explain(small_network, inputs, precision="bfloat16", **wish)
    assert right.provenance["precision"] == "float32"
    assert e.provenance["precision"] == "bfloat16"
    scale = np.sqrt((right.evidence**2).mean())
    error = np.sqrt(((e.evidence - right.evidence) ** 2).mean()) / scale
    assert 0 < e.provenance["precision_error"] < 0.05
    assert error < 3 * e.provenance["precision_error"]


@pytest.mark.parametrize(("limit", "chosen"), [(1.0, "bfloat16"), (1e-9, "float32")])
def test_a_shorter_precision_is_taken_where_the_device_gains_by_it_and_it_is_right(
    rng, small_network, monkeypatch, limit, chosen
):
    monkeypatch.setattr(precision, "shorter", lambda device: ["bfloat16"])
    monkeypatch.setattr(precision, "LARGEST_ERROR", limit)
    monkeypatch.setattr(choice, "_DRAWS_WORTH_TRYING", 0)
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    e = preddiff.explain(small_network, inputs, engine="incremental", window=6, stride=4, samples=2)
    assert e.provenance["precision"] == chosen


def test_dense_is_taken_where_nothing_is_saved(rng):
    """Without a trial: a network that sees everything at once."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 8), nn.ReLU(), nn.Linear(8, 4))
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    wish = {"window": 6, "stride": 4, "samples": 2}
    assert preddiff.explain(module.eval(), inputs, **wish).provenance["engine"] == "dense"
    e = preddiff.explain(module, inputs, engine="incremental", **wish)
    assert e.provenance["engine"] == "incremental"


def test_the_same_command_gives_the_same_arrays_whatever_the_clock_says(
    rng, small_network, monkeypatch
):
    """Also where the processor gains by a shorter precision, and other programs slow this one."""
    monkeypatch.setattr(precision, "shorter", lambda device: ["bfloat16"])
    monkeypatch.setattr(precision, "LARGEST_ERROR", 1.0)
    monkeypatch.setattr(choice, "_DRAWS_WORTH_TRYING", 0)
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    ticks = np.random.default_rng(0)
    monkeypatch.setattr(time, "perf_counter", lambda: ticks.random() * 1e6)
    results = [preddiff.explain(small_network, inputs, window=6, samples=3) for _ in range(6)]
    chosen = {(e.provenance["engine"], e.provenance["precision"]) for e in results}
    assert chosen == {("incremental", "bfloat16")}
    assert len({e.provenance["batch"] for e in results}) == 1
    for e in results[1:]:
        np.testing.assert_array_equal(e.evidence, results[0].evidence)


def task(**changes):
    """A task whose evidence is the values themselves."""
    settings = {
        "model": None, "inputs": np.zeros((1, 2, 2)), "targets": [0], "node": None,
        "size": (1, 1), "starts": np.zeros((2, 2), np.int64), "draws": np.zeros((2, 1, 1, 1, 1)),
        "evidence": lambda values: values.mean(axis=1).T, "total": 10,
    }  # fmt: skip
    return choice.Task(**{**settings, **changes})


def test_the_error_of_a_precision_is_a_share_of_the_evidence():
    assert choice._error(np.array([[3, 4]]), np.array([[3, 4.5]])) == pytest.approx(0.1)


@pytest.mark.parametrize("found", [[0, 0], [1e-9, 0]])
def test_without_evidence_the_error_is_unknown(found):
    """Also where the other precision gave 0 as well: nothing says that it would elsewhere."""
    assert choice._error(np.zeros((1, 2)), np.array([found])) == math.inf


def deaf_network():
    """A network that looks at nothing: all evidence is 0."""
    layer = nn.Conv2d(3, 4, 3, padding=1)
    nn.init.zeros_(layer.weight)
    return nn.Sequential(layer, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 256, 3)).eval()


def test_without_evidence_a_short_precision_is_taken_only_if_asked_for(rng, monkeypatch):
    monkeypatch.setattr(precision, "shorter", lambda device: ["bfloat16"])
    monkeypatch.setattr(choice, "_DRAWS_WORTH_TRYING", 0)
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    given = {"engine": "incremental", "window": 6, "stride": 5, "samples": 2}
    with_auto = preddiff.explain(deaf_network(), inputs, **given)
    assert not with_auto.evidence.any()
    assert with_auto.provenance["precision"] == "float32"
    asked = preddiff.explain(deaf_network(), inputs, precision="bfloat16", **given)
    assert asked.provenance["precision"] == "bfloat16"
    assert asked.provenance["precision_error"] == math.inf


def test_a_result_says_its_batch_which_may_be_asked_for(rng, small_network, monkeypatch):
    monkeypatch.setattr(choice, "_DRAWS_WORTH_TRYING", 0)
    monkeypatch.setattr(precision, "shorter", lambda device: [])
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    given = task(
        model=Network(small_network), inputs=inputs, size=(4, 4),
        draws=rng.random((2, 2, 3, 4, 4)).astype(np.float32),
    )  # fmt: skip
    chosen = choice.choose(given, "incremental")
    assert chosen.facts == {"engine": "incremental", "precision": "float32", "batch": 20}
    assert choice.choose(given, "incremental", batch=7).engine.batch == 7
    assert choice.choose(given, "dense", batch=3).engine.batch == 3


def test_a_batch_is_within_the_memory(rng, small_network):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    engine = Incremental(Network(small_network), inputs, [0], (4, 4))
    each = engine.bytes_per_draw
    assert choice._batch_within(5 * each, engine, 20) == 5
    assert choice._batch_within(100 * each, engine, 20) == 20
    assert choice._batch_within(1, engine, 20) == 1
