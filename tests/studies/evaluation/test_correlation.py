"""Rank correlation."""

import math

import numpy as np
import pytest
from scipy import stats

from preddiff.studies.evaluation.correlation import rank_correlation


def test_it_is_spearmans(rng):
    first, second = rng.integers(0, 5, (2, 8, 9)).astype(float)
    expected = stats.spearmanr(first.ravel(), second.ravel()).statistic
    assert rank_correlation(first, second) == pytest.approx(expected)


def test_only_the_order_matters(rng):
    values = rng.normal(size=(8, 9))
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)


def test_a_flat_map_has_none(rng):
    assert math.isnan(rank_correlation(np.zeros((4, 4)), rng.random((4, 4))))
