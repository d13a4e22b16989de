"""Activations, clamps, normalisations and linear layers."""

import math

import pytest
import torch
from torch.nn import functional as F

from preddiff.engines.incremental.compile.recognise import elementwise
from preddiff.engines.incremental.compile.recognise.call import Call, TracedInput
from preddiff.engines.incremental.execute.combination import Combination

X = TracedInput(torch.randn(1, 4, 6, 6), (2, 3))


def call(native=torch.relu, x=X):
    return Call(native(x.base), native, torch.float32)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"min": 0}, (0, math.inf)),
        ({"max": 2.5}, (-math.inf, 2.5)),
        ({"min": -1, "max": 1}, (-1, 1)),
    ],
)
def test_a_clamp_has_one_limit_or_two(limits, expected):
    found = elementwise.clamp(call(lambda x: x.clamp(**limits)), X, **limits)
    clamp = found.pieces[0].clamp
    assert (clamp.low, clamp.high) == expected


def test_a_clamp_by_tensors_is_pointwise():
    low = torch.zeros(4, 1, 1)
    found = elementwise.clamp(call(lambda x: torch.clamp(x, low)), X, low)
    assert not isinstance(found, Combination)
    assert found.linear is False


def test_axes_that_are_spatial_are_not_normalised_over():
    assert elementwise.softmax(call(), X, dim=1) is not None
    assert elementwise.softmax(call(), X, dim=-1) is None
    assert elementwise.softmax(call(), X) is None
    assert elementwise.layer_norm(call(), X, (6,)) is None
    last = TracedInput(torch.randn(1, 6, 6, 4), (1, 2))
    assert elementwise.layer_norm(call(x=last), last, (4,)) is not None


def test_a_linear_layer_is_not_over_a_spatial_axis():
    weight = torch.randn(5, 6)
    assert elementwise.linear(call(lambda x: F.linear(x, weight)), X, weight) is None
    last = TracedInput(torch.randn(1, 6, 4, 6), (1, 2))
    found = elementwise.linear(call(lambda x: F.linear(x, weight), last), last, weight)
    assert found.linear
    rows = torch.randn(3, 6)
    torch.testing.assert_close(found.native(rows), F.linear(rows, weight))


def test_the_compiled_response_is_torchs():
    native = lambda x: F.local_response_norm(x, 3, 0.2, 0.6, 1.5)  # noqa: E731
    found = elementwise.local_response_norm(call(native), X, 3, 0.2, 0.6, 1.5)
    torch.testing.assert_close(found.native(X.base), native(X.base))
    double = X.base.double()
    assert torch.equal(found.native(double), native(double))
