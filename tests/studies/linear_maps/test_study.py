"""The simulated study: its classifier, and the scores of maps."""

import numpy as np
import pytest

from preddiff.studies.linear_maps import scores, study

linear_model = pytest.importorskip("sklearn.linear_model")
pytest.importorskip("nilearn", reason="nilearn ships the template")


def test_the_quick_regression_is_scikit_learns(rng):
    features, patient = rng.normal(size=(30, 50)) + 5, np.arange(30) % 2 == 1
    features[patient, 0] += 2
    weights, intercept = study.logistic(features, patient, 3.0)
    deviation = features - features.mean(axis=0)
    square = (deviation**2).sum() / 30  # which divides the penalty
    usual = linear_model.LogisticRegression(C=3.0 / square, tol=1e-8, max_iter=10_000)
    usual.fit(deviation, patient)
    np.testing.assert_allclose(weights, usual.coef_[0], atol=1e-3 * np.abs(weights).max())
    logits = features @ weights + intercept
    np.testing.assert_allclose(logits, usual.decision_function(deviation), atol=5e-3)


@pytest.fixture(scope="module")
def made():
    return study.make(seed=0, effect="common", spacing=8, train=24, test=2)


def test_a_study_explains_its_subjects_in_closed_form(made):
    assert made.features.shape == (24, made.cohort.mask.sum())
    assert (made.weights[~made.cohort.mask] == 0).all()
    right = (made.probabilities > 0.5) == made.cohort.patient
    assert right[:24].mean() > 0.9
    for name in ("marginal", "conditional"):
        e = made.explain(25, made.sampler(name, 1), window=1)
        assert e.provenance["engine"] == "closed form"
        assert e.labels == ("patient",)
        assert float(e.prediction[0]) == pytest.approx(made.probabilities[25])
        assert np.isfinite(e.relevance.values[0][made.cohort.mask]).all()


class TestScores:
    def test_area_under_precision_and_recall(self, rng):
        truth = np.array([True, False, True, False])
        assert scores.precision_recall_area(np.array([-4.0, 0, 3, 1]), truth) == 1
        found = scores.precision_recall_area(np.array([4.0, -3, 2, 1]), truth)
        assert found == pytest.approx((1 / 1 + 2 / 3) / 2)
        truth = rng.random(20_000) < 0.1
        assert scores.precision_recall_area(rng.normal(size=20_000), truth) == pytest.approx(
            0.1, abs=0.02
        )

    def test_share_with_the_right_sign(self):
        truth = np.array([True, True, True, True, False])
        assert scores.right_sign(np.array([-1.0, -2, 0, 3, -4]), truth, -1) == 0.5

    def test_pieces_touch_at_faces(self):
        values = np.zeros((4, 4, 4))
        values[0, 0, :2] = -5  # one piece
        values[1, 1, 0] = 4  # touches it at an edge only
        values[3, 3, 3] = np.nan
        assert scores.components(values, 3) == 2
        assert scores.components(values, 2) == 1

    def test_share_above(self):
        assert scores.above(np.array([-10.0, 1.6, 1.4, 0]), 0.15) == 0.5
