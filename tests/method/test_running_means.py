"""Running means: however the draws come in, they come to the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preddiff.method.evidence import mean_and_error
from preddiff.method.running_means import RunningMeans


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999),
    parts=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    size=st.sampled_from([1, 2]),
)
def test_parts_come_to_the_whole(seed, parts, size):
    values = np.random.default_rng(seed).normal(3, 2, (2, 4, size * sum(parts)))
    which, others = np.array([1, 5, 2, 8]), np.array([0, 3, 4, 6, 7])
    means, first = RunningMeans.empty(2, 9, size), 0
    for part in parts:
        means.add(which, values[:, :, first : first + size * part])
        first += size * part
    mean, error = means.mean_and_error(which)
    groups = values.reshape(2, 4, -1, size).mean(axis=3)
    expected = mean_and_error(groups)
    np.testing.assert_allclose(mean, expected[0])
    np.testing.assert_allclose(error, expected[1], atol=1e-12)
    assert (means.groups[others] == 0).all()
    assert means.visits == 4 * len(parts)


def test_a_population_that_is_used_up_has_no_error(rng):
    values = rng.normal(size=(1, 3, 5))
    means = RunningMeans.empty(1, 3, population=5)
    means.add(np.arange(3), values[:, :, :2])
    _, some = means.mean_and_error(np.arange(3))
    np.testing.assert_allclose(some, mean_and_error(values[:, :, :2], 5)[1])
    means.add(np.arange(3), values[:, :, 2:])
    mean, error = means.mean_and_error(np.arange(3))
    np.testing.assert_allclose(mean, values.mean(axis=2))
    np.testing.assert_array_equal(error, 0)


def test_pairs_that_cancel_have_no_error():
    means = RunningMeans.empty(1, 1, size=2)
    means.add(np.array([0]), np.array([[[1.0, -1.0, 5.0, -5.0, 0.5, -0.5]]]))
    mean, error = means.mean_and_error(np.array([0]))
    assert mean.item() == pytest.approx(0)
    assert error.item() == pytest.approx(0)
