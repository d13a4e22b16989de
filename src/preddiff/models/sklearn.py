"""scikit-learn classifiers: any estimator with predict_proba, on flattened inputs."""

from typing import Any

import numpy as np

from preddiff.models.base import Floats, Inputs, Model, checked_values


class Estimator(Model):
    """A fitted scikit-learn estimator whose features are the input's values in C order."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.labels = [str(label) for label in estimator.classes_]
        self.spec = f"sklearn:{type(estimator).__name__}"

    def predict(self, inputs: Inputs, node: str | None = None) -> Floats:
        self._refuse_node(node)
        flat = np.reshape(inputs, (len(inputs), -1))
        return checked_values(self.estimator.predict_proba(flat), len(inputs), self.spec)
