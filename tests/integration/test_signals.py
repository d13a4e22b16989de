"""Signals: channels over time."""

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from conftest import Softmax
from preddiff.errors import InputError, SettingError
from preddiff.media import Signal
from preddiff.samplers import ConditionalGaussian, Constant, Marginal

SHAPE = (2, 21)
SIGNAL = np.random.default_rng(5).normal(size=SHAPE).astype(np.float32)
POOL = np.random.default_rng(6).normal(size=(5, *SHAPE)).astype(np.float32)


def network():
    torch.manual_seed(0)
    layers = [nn.Conv1d(2, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 17, 3)]
    return nn.Sequential(*layers).eval()


def softmax_of(module):
    def answer(batch):
        with torch.no_grad():
            return module(torch.from_numpy(np.float32(batch))).double().softmax(1).numpy()

    return answer


@pytest.mark.parametrize("kind", ["function", "network"])
def test_every_window_is_that_of_a_loop(kind):
    module = network()
    model = Softmax(SHAPE) if kind == "function" else module
    answer = model if kind == "function" else softmax_of(module)
    named = {"window": 4, "stride": 3, "samples": 5, "measure": "DP"}
    e = preddiff.explain(model, Signal(SIGNAL), 1, sampler=Marginal(POOL), **named)
    assert e.relevance.dims == ("target", "time")
    starts = [*range(0, 17, 3), 17]
    assert e.data["window_start"].values[:, 0].tolist() == starts
    for number, start in enumerate(starts):
        hidden = np.repeat(SIGNAL[None], 5, axis=0)
        hidden[..., start : start + 4] = POOL[..., start : start + 4]
        evidence = answer(SIGNAL[None])[0, 1] - answer(hidden)[:, 1].mean()
        assert e.evidence.values[0, number] == pytest.approx(evidence, abs=1e-5)
    assert np.isfinite(e.relevance).all()


def test_figures_are_lines_and_results_are_kept(tmp_path):
    fitted = ConditionalGaussian.fit(list(POOL) * 20, patch=6, clip=False)
    e = preddiff.explain(
        Softmax(SHAPE), Signal(SIGNAL), [0, 2], sampler=fitted, window=3, samples=4
    )
    preddiff.save(e, tmp_path / "signal.zarr")
    again = preddiff.load(tmp_path / "signal.zarr")
    drawn = preddiff.figure(again)
    upper, lower, *_ = drawn.axes
    np.testing.assert_array_equal([line.get_ydata() for line in upper.lines], SIGNAL)
    np.testing.assert_allclose(lower.lines[0].get_ydata(), e.relevance.values[0])
    assert len(drawn.axes) == 4
    preddiff.export(again, tmp_path / "signal.png")
    found = preddiff.verify(again, model=Softmax(SHAPE), sampler=fitted)
    assert found.passed


def test_wrong_use_is_said_in_one_line():
    model = Softmax(SHAPE)
    with pytest.raises(InputError, match=r"a signal of shape \(2, 21\): say what could have stood"):
        preddiff.explain(model, Signal(SIGNAL))
    with pytest.raises(InputError, match=r"a signal of float32 and shape \(21,\): expected finite"):
        preddiff.explain(model, Signal(SIGNAL[0]), sampler=Constant(0))
    with pytest.raises(InputError, match="a signal of float32"):
        preddiff.explain(model, Signal(SIGNAL * np.nan), sampler=Constant(0))
    with pytest.raises(SettingError, match="a signal: nodes are of pictures and scans"):
        preddiff.explain(model, Signal(SIGNAL), sampler=Constant(0), node="0")
    with pytest.raises(InputError, match="a grey picture"):
        preddiff.explain(model, SIGNAL, sampler=Constant(0))
