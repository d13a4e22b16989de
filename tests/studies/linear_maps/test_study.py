"""The simulated study: its classifier, and explanations of its subjects."""

import numpy as np
import pytest

from preddiff.studies.linear_maps import study

linear_model = pytest.importorskip("sklearn.linear_model")
pytest.importorskip("nilearn", reason="nilearn ships the template")


@pytest.fixture(scope="module")
def made():
    return study.simulated_study(seed=0, effect="common", spacing=8, train=24, test=2)


def test_a_study_explains_its_subjects_in_closed_form(made):
    assert made.features.shape == (24, made.cohort.mask.sum())
    assert (made.weights[~made.cohort.mask] == 0).all()
    right = (made.probabilities > 0.5) == made.cohort.patient
    assert right[:24].mean() > 0.9
    for name in ("marginal", "marginal of controls", "cohort", "conditional"):
        e = made.explain(25, made.sampler(name, 1), window=1)
        assert e.provenance["engine"] == "closed form"
        assert e.labels == ("patient",)
        assert float(e.prediction[0]) == pytest.approx(made.probabilities[25])
        assert np.isfinite(e.relevance.values[0][made.cohort.mask]).all()


def test_the_penalty_is_relative_to_the_size_of_the_scans(made):
    deviation = made.features - made.features.mean(axis=0)
    patient = made.cohort.patient[:24]
    size = np.sqrt((deviation**2).sum() / 24)
    usual = linear_model.LogisticRegression(C=study._INVERSE_PENALTY, tol=1e-8, max_iter=10_000)
    usual.fit(deviation / size, patient)
    logits = made.features @ made.weights[made.cohort.mask] + made.intercept
    expected = usual.decision_function(deviation / size)
    np.testing.assert_allclose(logits, expected, atol=5e-3)


def test_larger_windows_are_fitted_on_fewer_scans(made, monkeypatch):
    fitted = {}
    monkeypatch.setattr(
        study.ConditionalGaussian, "fit", lambda scans, patch, mask: fitted.update({patch: scans})
    )
    for window in (8, 20):
        made.sampler("conditional", window)
    assert {patch: len(scans) for patch, scans in fitted.items()} == {12: 15, 24: 6}
