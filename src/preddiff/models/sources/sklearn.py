"""scikit-learn classifiers: any estimator with predict_proba, on flattened inputs."""

from typing import Any

import numpy as np

from preddiff.errors import ModelError, first_line
from preddiff.models.base import Floats, Inputs, Model, checked_values
from preddiff.models.folding import fold
from preddiff.models.linear import Linear


def load(estimator: Any) -> Model:
    """A fitted estimator whose features are the input's values in C order.

    Of linear steps and a softmax it becomes a `Linear`, which has a closed form; any other is asked
    about every draw.
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
    """A fitted scikit-learn estimator that is no linear model."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.labels = [str(label) for label in estimator.classes_]
        self.spec = f"sklearn:{type(estimator).__name__}"

    def predict(self, inputs: Inputs, node: str | None = None) -> Floats:
        self._refuse_node(node)
        flat = inputs.reshape(len(inputs), -1).astype(np.float64)  # or probabilities were float32
        try:
            values = self.estimator.predict_proba(flat)
        except ValueError as error:
            raise ModelError(
                f"{self.spec} does not take inputs of shape {inputs.shape[1:]}, flattened to "
                f"{flat.shape[1]} features ({first_line(error)})"
            ) from error
        return checked_values(values, len(inputs), self.spec)
