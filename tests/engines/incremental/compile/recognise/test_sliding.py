"""Convolutions and poolings that are recognised, and those that are not."""

import pytest
import torch
from torch.nn import functional as F

from preddiff.engines.incremental.compile.recognise import sliding
from preddiff.engines.incremental.compile.recognise.call import Call, TracedInput
from preddiff.engines.incremental.execute.pooling import AveragePool, GlobalMean
from preddiff.engines.incremental.execute.reach import Sliding

X = TracedInput(torch.rand(1, 4, 12, 12), (2, 3))
WEIGHT = torch.rand(2, 4, 4, 3)


def call(native):
    return Call(native(X.base), native, torch.float32)


@pytest.mark.parametrize(
    ("padding", "before"), [("same", (3, 1)), ("valid", (0, 0)), (2, (2, 2)), ((1, 0), (1, 0))]
)
def test_padding_is_a_number_per_axis_or_a_word(padding, before):
    native = lambda x: F.conv2d(x, WEIGHT, None, 1, padding, (2, 1))  # noqa: E731
    found = sliding.convolution(call(native), X, WEIGHT, None, 1, padding, (2, 1))
    expected = (Sliding(4, 1, before[0], 2), Sliding(3, 1, before[1], 1))
    assert found.sliding == expected


def test_weights_that_depend_on_the_input_are_unknown():
    assert sliding.convolution(call(lambda x: x), X, TracedInput(WEIGHT, ())) is None


def test_indices_of_maxima_are_unknown():
    native = lambda x: F.max_pool2d(x, 2, return_indices=True)  # noqa: E731
    assert sliding.max_pool(call(native), X, 2, return_indices=True) is None


@pytest.mark.parametrize(
    ("size", "kind"), [(1, GlobalMean), (4, AveragePool), ((6, 3), AveragePool), (5, type(None))]
)
def test_adaptive_pooling_is_known_where_the_size_divides(size, kind):
    found = sliding.adaptive_average_pool(call(lambda x: F.adaptive_avg_pool2d(x, size)), X, size)
    assert type(found) is kind


@pytest.mark.parametrize(
    ("dim", "known"), [([2, 3], True), ((-1, -2), True), (1, False), (None, False), ([1, 2], False)]
)
def test_means_are_known_over_all_spatial_axes(dim, known):
    native = lambda x: x.mean() if dim is None else x.mean(dim)  # noqa: E731
    assert (sliding.mean(call(native), X, dim) is not None) == known


def test_what_an_average_divides_by_is_taken_from_the_node():
    """At an edge without counting the padding: 4 of 9 values, so 9 / 4 of the plain mean."""
    native = lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)  # noqa: E731
    found = sliding.average_pool(call(native), X, 3, 2, 1, False, False)
    assert found.share[0, 0, 0, 0].item() == pytest.approx(9 / 4)
    assert found.share[0, 0, 1, 1].item() == pytest.approx(1)
