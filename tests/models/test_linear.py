"""Linear models: weights of the input's shape, flattened or not, for two classes or several."""

import numpy as np
import pytest
from scipy import special

from preddiff.errors import ModelError, TargetError
from preddiff.models import Linear

SHAPE = (2, 3, 4)


@pytest.mark.parametrize("classes", [(), (3,)])
@pytest.mark.parametrize("flat", [False, True])
def test_weights_may_be_flattened(rng, classes, flat):
    weights, x = rng.normal(size=(*classes, *SHAPE)), rng.normal(size=(5, *SHAPE))
    intercept = rng.normal(size=classes)
    model = Linear(weights.reshape(*classes, -1) if flat else weights, intercept)
    x = x.astype(np.float32)
    logits = x.reshape(5, -1) @ weights.reshape(*classes, -1).T + intercept
    if not classes:
        np.testing.assert_allclose(model.predict(x)[:, 1], special.expit(logits))
        logits = np.stack([np.zeros(5), logits], axis=1)
    np.testing.assert_allclose(model.predict(x), special.softmax(logits, axis=1))
    np.testing.assert_allclose(model.predict(x, "logits"), logits)
    assert model.nodes(x[0]) == {"logits": (logits.shape[1],)}
    gradient = model.gradient(x[0], [1])
    np.testing.assert_allclose(gradient[0], weights[1] if classes else weights, rtol=1e-6)


def test_what_does_not_fit_is_said(rng):
    with pytest.raises(ModelError, match="weights or intercept are NaN or infinite"):
        Linear([[[np.nan]]])
    model = Linear(rng.normal(size=SHAPE))
    with pytest.raises(ModelError, match=r"weights of shape \(2, 3, 4\) .* flattened to 20 feat"):
        model.predict(np.zeros((1, 1, 4, 5), np.float32))
    with pytest.raises(TargetError, match="node 'hidden': linear:2×3×4 has no nodes"):
        model.predict(np.zeros((1, *SHAPE), np.float32), "hidden")
