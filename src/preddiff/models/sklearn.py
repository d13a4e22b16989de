"""scikit-learn classifiers: any estimator with predict_proba, on flattened inputs."""

from typing import Any

import numpy as np

from preddiff.errors import ModelError, first_line
from preddiff.models.base import Floats, Inputs, Model, checked_values


class Estimator(Model):
    """A fitted scikit-learn estimator whose features are the input's values in C order."""

    def __init__(self, estimator: Any) -> None:
        if not hasattr(estimator, "classes_"):
            raise ModelError(f"{type(estimator).__name__} is not fitted: call .fit(X, y) first")
        self.estimator = estimator
        self.labels = [str(label) for label in estimator.classes_]
        self.spec = f"sklearn:{type(estimator).__name__}"

    def predict(self, inputs: Inputs, node: str | None = None) -> Floats:
        self._refuse_node(node)
        flat = np.reshape(inputs, (len(inputs), -1))
        try:
            values = self.estimator.predict_proba(flat)
        except ValueError as error:
            raise ModelError(
                f"{self.spec} does not take inputs of shape {inputs.shape[1:]}, flattened to "
                f"{flat.shape[1]} features ({first_line(error)})"
            ) from error
        return checked_values(values, len(inputs), self.spec)
