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


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.uint16])
@pytest.mark.parametrize(("factor", "offset"), [(1, 0), (100, 0), (1, 16_000), (100, 16_000)])
@pytest.mark.parametrize("groups", [2, 3, 4])
def test_weights_are_right_in_any_units_and_any_number_type(rng, groups, factor, offset, kind):
    """scikit-learn in double precision on the voxels themselves, and float32 must give the same."""
    group = np.arange(36) % groups
    scans = rng.normal(100, 10, size=(36, 300)).round()
    scans[np.arange(36)[:, None], 20 * group[:, None] + np.arange(20)] += 12
    scans = (factor * scans + offset).astype(kind)
    quick = unfold(regression().fit(scans, group))
    centred = scans.astype(float) - scans.mean(axis=0, dtype=float)
    usual = LogisticRegression(tol=1e-8, max_iter=10_000).fit(centred, group)
    found, expected = quick.coef_, usual.coef_
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(expected), rel=0.01)
    cosine = (found * expected).sum() / np.linalg.norm(found) / np.linalg.norm(expected)
    assert cosine > 0.999
    assert (quick.predict(scans.astype(float)) == group).all()


def test_an_offset_changes_no_weight(rng):
    """The same scans 16,000 higher, as some scanners store them, have the same classifier."""
    group = np.arange(30) % 3
    scans = rng.normal(0, 30, size=(30, 200)).round()
    scans[group == 1, :10] += 20
    low = unfold(regression().fit(scans.astype(np.float32), group))
    high = unfold(regression().fit((scans + 16_000).astype(np.float32), group))
    np.testing.assert_allclose(high.coef_, low.coef_, atol=1e-3 * np.abs(low.coef_).max())
