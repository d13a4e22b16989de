"""Estimates hand what was visited to the functions of `uncertainty`."""

import numpy as np
import pytest

from preddiff.method import uncertainty
from preddiff.method.estimates import Estimates
from preddiff.method.windows import Windows


@pytest.fixture
def estimates(rng):
    windows = Windows.over((20, 22), 4)
    visited = np.sort(windows.interlaced[:80])
    evidence, error, bias = rng.normal(size=(3, 2, 80))
    return Estimates(windows, visited, evidence, np.abs(error), bias, 320)


def test_the_windows_are_those_that_were_visited(estimates):
    np.testing.assert_array_equal(
        estimates.windows.starts, estimates.every.starts[estimates.visited]
    )


def test_the_map_and_its_error_are_those_of_all_windows(estimates):
    relevance, error = estimates.relevance_and_error()
    known = estimates.every, estimates.visited, estimates.evidence
    np.testing.assert_array_equal(relevance, uncertainty.relevance(*known))
    expected = uncertainty.standard_error(*known, estimates.error, estimates.bias)
    np.testing.assert_array_equal(error, expected)
    unbiased = uncertainty.standard_error(*known, estimates.error)
    assert (error > unbiased).any()  # so the bias does count


def test_the_relative_error_is_of_that_map(estimates):
    relevance, error = estimates.relevance_and_error()
    covered = estimates.every.coverage > 0
    expected = uncertainty.relative_error(relevance, error, covered)
    assert estimates.relative_error() == expected
