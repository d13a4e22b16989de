"""Activation patterns, against Haufe's example and regression."""

import numpy as np
import pytest
from scipy import stats

from preddiff.baselines.pattern import activation_pattern
from preddiff.errors import InputError


def test_a_filter_that_removes_noise_has_no_pattern_there(rng):
    """Haufe's example: x1 = signal + noise, x2 = noise; w = (1, -1) reads the signal."""
    signal, noise = rng.normal(size=(2, 200_000))
    features = np.stack([signal + noise, noise], axis=1)
    pattern = activation_pattern(np.array([1.0, -1.0]), features)
    np.testing.assert_allclose(pattern, [1, 0], atol=0.01)


def test_it_is_the_slope_of_each_feature_on_the_logit(rng):
    features, weights = rng.normal(size=(30, 5)) + 100, rng.normal(size=5)
    expected = [stats.linregress(features @ weights, column).slope for column in features.T]
    np.testing.assert_allclose(activation_pattern(weights, features), expected)


def test_weights_that_tell_nobody_apart():
    with pytest.raises(InputError, match="all 3 subjects have the same logit"):
        activation_pattern(np.zeros(2), np.ones((3, 2)))
