"""The quick logistic regression."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from preddiff.classify import logistic
from preddiff.classify.logistic import regression, unfold
from preddiff.errors import SettingError


def test_the_quick_regression_is_scikit_learns(rng):
    features, patient = rng.normal(size=(30, 50)) + 5, np.arange(30) % 2 == 1
    features[patient, 0] += 2
    deviation = features - features.mean(axis=0)
    square = (deviation**2).sum() / 30
    quick = unfold(regression(inverse_penalty=3.0 / square).fit(features, patient))
    weights, intercept = quick.coef_[0], quick.intercept_[0]
    usual = LogisticRegression(C=3.0 / square, tol=1e-8, max_iter=10_000)
    usual.fit(deviation, patient)
    np.testing.assert_allclose(weights, usual.coef_[0], atol=1e-3 * np.abs(weights).max())
    logits = features @ weights + intercept
    np.testing.assert_allclose(logits, usual.decision_function(deviation), atol=5e-3)


def test_a_pipeline_that_is_no_linear_classifier_is_not_unfolded(rng, monkeypatch):
    fitted = regression().fit(rng.normal(size=(6, 4)), [0, 1] * 3)
    monkeypatch.setattr(logistic, "fold", lambda _: None)
    with pytest.raises(SettingError, match="too much alike to tell the groups apart"):
        unfold(fitted)
