import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preddiff.evidence import (
    ActivationDifference,
    WeightOfEvidence,
    laplace,
    log2_odds,
    mean_and_error,
)

probabilities = st.floats(0, 1)


@given(probabilities, probabilities, st.sampled_from([math.inf, 1, 1e3, 1_281_167]))
def test_weight_of_evidence_is_finite_everywhere(base, without, train_size):
    measure = WeightOfEvidence(train_size, classes=10)
    evidence, error = measure(np.float64(base), np.float64(without), np.float64(0.1))
    assert np.isfinite(evidence)
    assert np.isfinite(error)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_weight_of_evidence_equals_equation_3(base, without):
    evidence, _ = WeightOfEvidence(math.inf, 2)(base, np.float64(without), np.float64(0))
    expected = math.log2(base / (1 - base)) - math.log2(without / (1 - without))
    assert evidence == pytest.approx(expected, abs=1e-12)


def test_laplace_is_that_of_section_3():
    assert laplace(np.float64(0), 100, 10) == 1 / 110
    assert laplace(np.float64(1), 100, 10) == 101 / 110
    assert laplace(np.float64(0.3), math.inf, 10) == 0.3


def test_log2_odds_is_antisymmetric_and_does_not_lose_digits_near_one():
    p = np.array([0.5, 1e-12, 0.25])
    np.testing.assert_allclose(log2_odds(1 - p), -log2_odds(p), rtol=1e-5)
    assert log2_odds(np.float64(1 - 2**-40)) == pytest.approx(40, abs=1e-6)


def test_error_is_the_delta_method(rng):
    """The reported error is the spread that repeating the whole thing has."""
    measure = WeightOfEvidence(1000, 5)
    draws = np.clip(0.3 + 0.05 * rng.normal(size=(20_000, 50)), 0, 1)
    evidence, error = measure(np.float64(0.6), *mean_and_error(draws))
    assert error.mean() == pytest.approx(evidence.std(), rel=0.03)


def test_the_error_stays_finite_where_probabilities_are_certain():
    draws = np.ones(10)
    draws[0] -= 1.2e-16
    _, error = WeightOfEvidence(math.inf, 2)(np.float64(1), *mean_and_error(draws))
    assert error < 1


def test_drawing_without_replacement_shrinks_the_error_to_nothing():
    values = np.arange(5.0)
    _, unlimited = mean_and_error(values)
    _, most = mean_and_error(values[:4], population=5)
    mean, every = mean_and_error(values, population=5)
    assert mean == 2
    assert every == 0
    assert most == pytest.approx(values[:4].std(ddof=1) / 2 * math.sqrt(1 / 5))
    assert unlimited > most


def test_one_draw_of_many_has_no_known_error():
    mean, error = mean_and_error(np.array([[0.4]]))
    assert mean == [0.4]
    assert np.isnan(error).all()


def test_activation_difference():
    evidence, error = ActivationDifference()(np.float64(3), np.array([1.0, 5]), np.array([0.1, 0]))
    np.testing.assert_array_equal(evidence, [2, -2])
    np.testing.assert_array_equal(error, [0.1, 0])
