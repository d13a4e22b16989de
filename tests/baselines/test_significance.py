"""p-values of weights, against every order of few subjects and the paper's formula."""

import itertools

import numpy as np
import pytest
from scipy import stats

from preddiff.baselines.significance import analytic_p_values, permutation_p_values
from preddiff.errors import InputError


def ridge_weights(features, patient, ridge):
    """Ridge regression on ±1 with a free intercept, by the normal equations."""
    centred = features - features.mean(axis=0)
    gram = centred.T @ centred + ridge * np.eye(features.shape[1])
    return np.linalg.solve(gram, centred.T @ np.where(patient, 1.0, -1.0))


def test_all_orders_of_few_subjects(rng):
    """Its variance is the one over every order that there is."""
    features, patient = rng.normal(size=(6, 4)), np.array([1, 1, 0, 0, 0, 1], dtype=bool)
    orders = [np.isin(range(6), three) for three in itertools.combinations(range(6), 3)]
    weights = np.array([ridge_weights(features, order, 0.5) for order in orders])
    np.testing.assert_allclose(weights.mean(axis=0), 0, atol=1e-12)
    score = ridge_weights(features, patient, 0.5) / weights.std(axis=0)
    expected = 2 * stats.norm.sf(np.abs(score))
    np.testing.assert_allclose(analytic_p_values(features, patient, 0.5), expected)


def test_without_ridge_it_is_the_papers_formula(rng):
    """Their matrix C, written out; they let each label be drawn anew, without n / (n - 1)."""
    features, patient = rng.normal(size=(12, 40)) + 3, rng.permutation(12) < 5
    n, labels = 12, np.where(patient, 1.0, -1.0)
    inverse, ones = np.linalg.inv(features @ features.T), np.ones((12, 1))
    between = inverse @ ones @ np.linalg.inv(-ones.T @ inverse @ ones) @ ones.T @ inverse
    c = features.T @ (inverse + between)
    share = patient.mean()
    spread = np.sqrt((4 * share - 4 * share**2) * (c**2).sum(axis=1) * n / (n - 1))
    expected = 2 * stats.norm.sf(np.abs(c @ labels) / spread)
    np.testing.assert_allclose(analytic_p_values(features, patient), expected, rtol=1e-6)


def test_it_foretells_what_shuffling_a_logistic_classifier_gives(rng):
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, patient = rng.normal(size=(60, 300)), np.arange(60) % 2 == 1
    features[patient, :5] += 2

    def fit(labels):
        return linear_model.LogisticRegression(C=1e-3).fit(features, labels).coef_[0]

    shuffled = permutation_p_values(fit, patient, permutations=400, seed=0)
    analytic = analytic_p_values(features, patient, ridge=4 / 1e-3)  # a logistic bends by 1/4
    assert np.abs(shuffled - analytic).max() < 0.1
    assert (shuffled[:5] < 0.01).all()
    assert (analytic[:5] < 0.01).all()


def test_p_values_of_nothing_are_uniform(rng):
    features, patient = rng.normal(size=(40, 2000)), np.arange(40) % 2 == 1
    assert stats.kstest(analytic_p_values(features, patient), "uniform").pvalue > 0.001


def test_a_p_value_is_never_zero():
    patient = np.arange(20) % 2 == 1
    p = permutation_p_values(
        lambda labels: np.array([(labels & patient).sum(), 1.0]), patient, 99, 0
    )
    np.testing.assert_allclose(p, [0.01, 1])


def test_a_feature_that_never_varies_says_nothing(rng):
    features = np.column_stack([np.ones(10), rng.normal(size=10)])
    assert analytic_p_values(features, np.arange(10) % 2 == 1)[0] == 1


def test_one_class(rng):
    with pytest.raises(InputError, match="4 subjects of one class"):
        analytic_p_values(rng.normal(size=(4, 3)), np.ones(4, dtype=bool))
    with pytest.raises(InputError, match="4 subjects of one class"):
        permutation_p_values(lambda y: y, np.zeros(4, dtype=bool), 2, 0)
