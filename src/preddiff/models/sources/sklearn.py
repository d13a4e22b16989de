"""scikit-learn classifiers: any estimator with predict_proba, on flattened inputs."""

import numpy as np

from preddiff.errors import ModelError, first_line
from preddiff.models.base import Model, checked_values
from preddiff.models.folding import SklearnObject, fold
from preddiff.models.linear import Linear
from preddiff.types import Batch, Predictions


def from_estimator(estimator: SklearnObject) -> Model:
    """Return the model of a fitted estimator whose features are the input's values in C order.

    Linear steps and a softmax become a `Linear`, which has a closed form; any other estimator is
    asked about every draw.

    Raises
    ------
    ModelError
        If the estimator is not fitted.
    """
    if not hasattr(estimator, "classes_"):
        raise ModelError(f"{type(estimator).__name__} is not fitted: call .fit(X, y) first")
    folded = fold(estimator)
    if folded is None:
        return Estimator(estimator)
    weights, intercept = folded
    model = Linear(weights[0] if len(weights) == 1 else weights, intercept)
    model.labels = [str(label) for label in estimator.classes_]
    model.spec = f"sklearn:{type(estimator).__name__}"
    return model


class Estimator(Model):
    """A fitted scikit-learn estimator that is no linear model.

    Parameters
    ----------
    estimator : has `classes_` and `predict_proba`; its features are the input's values in C order.
    """

    def __init__(self, estimator: SklearnObject) -> None:
        self.estimator = estimator
        self.labels = [str(label) for label in estimator.classes_]
        self.spec = f"sklearn:{type(estimator).__name__}"

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return class probabilities (n, K); there are no nodes."""
        self._refuse_node(node)
        # Some estimators compute in the precision of what they get, and float32 leaves 1 - p no
        # digits where p is near 1.
        flat = inputs.reshape(len(inputs), -1).astype(np.float64)
        try:
            values = self.estimator.predict_proba(flat)
        except ValueError as error:
            raise ModelError(
                f"{self.spec} does not take inputs of shape {inputs.shape[1:]}, flattened to "
                f"{flat.shape[1]} features ({first_line(error)})"
            ) from error
        return checked_values(values, len(inputs), self.spec)
