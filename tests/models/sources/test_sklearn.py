"""scikit-learn classifiers as models."""

import numpy as np
import pytest

from preddiff import load_model
from preddiff.errors import ModelError


def test_scikit_learn_classifiers_that_do_not_fit():
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(ModelError, match="LogisticRegression is not fitted: call .fit"):
        load_model(LogisticRegression())
    fitted = LogisticRegression().fit(np.eye(4), [0, 0, 1, 1])
    with pytest.raises(ModelError, match="flattened to 9 features"):
        load_model(fitted).predict(np.zeros((1, 1, 3, 3), dtype=np.float32))


def test_a_scikit_learn_classifier(rng):
    from sklearn.linear_model import LogisticRegression

    x = rng.normal(size=(60, 1, 4, 4)).astype(np.float32)
    estimator = LogisticRegression().fit(x.reshape(60, -1), np.where(x[:, 0, 0, 0] > 0, "a", "b"))
    model = load_model(estimator)
    expected = estimator.predict_proba(x.reshape(60, -1).astype(np.float64))
    np.testing.assert_allclose(model.predict(x), expected)
    assert model.labels == ["a", "b"]
