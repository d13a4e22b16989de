"""Linear models with a softmax: the paper's classifier for scans is one."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from preddiff.errors import ModelError
from preddiff.models.base import Model
from preddiff.models.order import STATE_ORDER, Order, check_features, from_features
from preddiff.types import Batch, Floats, Pixels, Predictions

PerClassWeights = tuple[Annotated[Floats, "class channel *spatial"], Annotated[Floats, "class"]]
"""Weights and intercepts of each class's logit."""

LOGITS_NODE = "logits"
"""The one hidden node: weights · x + intercept, as a linear regression gives it."""


class Linear(Model):
    """A logistic model on the input's values.

    Parameters
    ----------
    weights : of the input's shape (channel, *spatial): two classes, whose second has the logit
        weights · x + intercept; or one such array per class, (K, channel, *spatial): softmax. The
        input may be flattened: (value,) or (K, value).
    intercept : a number, or (K,).
    labels : the name of each class.
    train_size : number of training examples, for the Laplace correction.
    order : of flattened weights of volumes: "xyz" as nibabel gives them, "zyx" as arrays are; None
        is C order, which a scan is not explained in.
    """

    def __init__(
        self,
        weights: ArrayLike,
        intercept: ArrayLike = 0.0,
        *,
        labels: Sequence[str] | None = None,
        train_size: float | None = None,
        order: Order | None = None,
    ) -> None:
        self.order = order
        self.weights = np.asarray(weights, dtype=np.float64)
        self.intercept = np.asarray(intercept, dtype=np.float64)
        if not (np.isfinite(self.weights).all() and np.isfinite(self.intercept).all()):
            raise ModelError("weights or intercept are NaN or infinite: expected finite numbers")
        self.labels = labels
        self.train_size = train_size
        self.spec = f"linear:{'×'.join(map(str, self.weights.shape))}"
        self.output = "softmax added"
        self.sha256 = hashlib.sha256(self.weights.tobytes() + self.intercept.tobytes()).hexdigest()

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return class probabilities, or the logits, (n, K)."""
        if node != LOGITS_NODE:
            self._refuse_node(node)
        weights, intercept = self.per_class(inputs.shape[1:])
        flat = inputs.reshape(len(inputs), -1).astype(np.float64)
        logits = flat @ weights.reshape(len(weights), -1).T + intercept
        return np.asarray(special.softmax(logits, axis=1)) if node is None else logits

    def check(self, inputs: Pixels, *, is_scan: bool) -> None:
        """Raise a ModelError if it is unknown which weight is of which voxel of a scan."""
        if is_scan and self.weights.ndim < 3:
            check_features(self.spec, self.weights.shape[-1], inputs)
        self.per_class(inputs.shape)
        if is_scan and self.order is None and self.weights.ndim < 3:
            raise ModelError(
                f"{self.spec} has flat weights, which say nothing of the order of a scan's voxels: "
                f"expected weights of shape {inputs.shape}, or {STATE_ORDER}"
            )

    def nodes(self, inputs: Pixels) -> Mapping[str, tuple[int, ...]]:
        """Return the one node, the logits."""
        return {LOGITS_NODE: (len(self.per_class(inputs.shape)[0]),)}

    def gradient(self, inputs: Pixels, targets: Sequence[int]) -> Batch:
        """Return the weights: the derivative of a logit is the same everywhere."""
        return self.per_class(inputs.shape)[0][list(targets)].astype(np.float32)

    def per_class(self, shape: tuple[int, ...]) -> PerClassWeights:
        """Return weights (K, *shape) and intercepts (K,) for an input's shape.

        Two classes get the logits (0, z), whose softmax is (1 - sigmoid(z), sigmoid(z)).

        Raises
        ------
        ModelError
            If the weights are not of that shape.
        """
        weights = self.weights
        # Weights as scikit-learn has them, (value,) or (K, value). Three axes or more are never a
        # flat array: the smallest input is (channel, y, x).
        if weights.ndim < 3 and weights.shape[-1] == np.prod(shape):
            weights = from_features(weights, shape, self.order)
        if weights.shape == (1, *shape):
            weights = weights[0]
        if weights.shape == shape and self.intercept.size == 1:
            intercept = self.intercept.reshape(())
            return np.stack([np.zeros(shape), weights]), np.array([0.0, float(intercept)])
        if weights.shape[1:] == shape and self.intercept.size in {1, len(weights)}:
            return weights, np.broadcast_to(self.intercept, len(weights))
        raise ModelError(
            f"weights of shape {self.weights.shape} and intercept of shape {self.intercept.shape} "
            f"on an input of shape {shape}, flattened to {np.prod(shape)} features: expected the "
            "input's shape, or one such array per class"
        )
