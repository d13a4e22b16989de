import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import preddiff
from conftest import Softmax
from preddiff.errors import ModelError
from preddiff.method.evidence import laplace, mean_and_error
from preddiff.method.measures import (
    ActivationDifference,
    DifferenceOfProbabilities,
    InformationDifference,
    WeightOfEvidence,
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


def test_activation_difference():
    evidence, error = ActivationDifference()(np.float64(3), np.array([1.0, 5]), np.array([0.1, 0]))
    np.testing.assert_array_equal(evidence, [2, -2])
    np.testing.assert_array_equal(error, [0.1, 0])


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_information_difference_is_that_of_the_logarithms(base, without):
    evidence, _ = InformationDifference(math.inf, 2)(base, np.float64(without), np.float64(0))
    assert evidence == pytest.approx(math.log2(base / without), abs=1e-12)
    corrected, _ = InformationDifference(100, 5)(base, np.float64(without), np.float64(0))
    expected = math.log2(laplace(base, 100, 5) / laplace(without, 100, 5))
    assert corrected == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", [WeightOfEvidence, InformationDifference])
def test_error_and_bias_are_those_of_repeating_the_whole_thing(rng, kind):
    measure = kind(1000, 5)
    draws = np.clip(0.3 + 0.15 * rng.normal(size=(200_000, 20)), 0, 1)
    mean, spread = mean_and_error(draws)
    evidence, error = measure(np.float64(0.6), mean, spread)
    truth, _ = measure(np.float64(0.6), draws.mean(), np.float64(0))
    assert np.sqrt((error**2).mean()) == pytest.approx(evidence.std(), rel=0.03)
    off = (evidence - truth).mean()
    assert measure.bias(mean, error).mean() == pytest.approx(off, rel=0.15)
    assert abs(off) > 5 * evidence.std() / math.sqrt(len(draws))  # so there is something to find


def test_difference_of_probabilities_is_of_probabilities_only():
    measure = DifferenceOfProbabilities()
    evidence, error = measure(np.float64(0.75), np.array([0.5, 1.0]), np.array([0.1, 0]))
    np.testing.assert_array_equal(evidence, [0.25, -0.25])
    np.testing.assert_array_equal(error, [0.1, 0])
    with pytest.raises(ModelError, match="not probabilities: the difference of probabilities is"):
        measure.check(np.array([0.5, 1.5]))


@pytest.mark.parametrize(
    ("symbol", "name", "unit"),
    [
        ("DP", "difference_of_probabilities", "probability"),
        ("ID", "information_difference", "bits"),
        ("AD", "activation_difference", "activation"),
    ],
)
def test_a_result_says_its_measure_and_unit(rng, symbol, name, unit):
    picture = rng.random((1, 8, 8))
    settings = {"sampler": "constant:0", "window": 4, "stride": 4}
    e = preddiff.explain(Softmax((1, 8, 8)), picture, measure=symbol, **settings)
    assert (e.provenance["measure"], e.unit) == (name, unit)
    assert e.of_probabilities == (symbol != "AD")
