"""scikit-learn classifiers: any estimator with predict_proba, on flattened inputs."""

import warnings

import numpy as np

from preddiff.errors import EngineWarning, ModelError, first_line
from preddiff.models.base import Model, checked_values
from preddiff.models.folding import SklearnObject, fold
from preddiff.models.linear import Linear
from preddiff.models.order import STATE_ORDER, Order, to_features
from preddiff.types import AnyShape, Batch, Floats, Mask, Pixels, Predictions

_SAME_PROBABILITY = 1e-3  # steps in float32, and kernels of large intensities, lose digits


def from_estimator(estimator: SklearnObject, order: Order | None = None) -> Model:
    """Return the model of a fitted estimator whose features are the input's values in some order.

    Linear steps and a softmax become a `Linear`, which has a closed form; any other estimator is
    asked about every draw.

    Raises
    ------
    ModelError
        If the estimator is not fitted, or gives no probabilities and is not linear.
    """
    if not hasattr(estimator, "classes_"):
        raise ModelError(f"{type(estimator).__name__} is not fitted: call .fit(X, y) first")
    folded = fold(estimator)
    _explain_missing_probabilities(estimator, is_linear=folded is not None)
    if folded is None:
        return Estimator(estimator, order)
    return Folded(estimator, *folded, order=order)


class Folded(Linear):
    """A fitted scikit-learn estimator as one weight per value, held against the estimator itself.

    Parameters
    ----------
    estimator : the softmax of these weights, as it should be.
    weights : (K, feature), or (K, channel, *spatial); one row for two classes.
    intercept : (K,).
    order : of the features; None if it was not stated.
    mask : (z, y, x), where the features are a volume's values in it.
    """

    def __init__(
        self,
        estimator: SklearnObject,
        weights: AnyShape,
        intercept: AnyShape,
        *,
        order: Order | None = None,
        mask: Mask | None = None,
    ) -> None:
        super().__init__(weights[0] if len(weights) == 1 else weights, intercept, order=order)
        self.estimator = estimator
        self.mask = mask
        self.labels = [str(label) for label in estimator.classes_]
        self.spec = f"sklearn:{type(estimator).__name__}"

    def check(self, inputs: Pixels, *, is_scan: bool) -> None:
        """Raise a ModelError if the estimator says something else of this input than its weights.

        The same if it is unknown which weight is of which voxel of a scan.
        """
        super().check(inputs, is_scan=is_scan)
        if not hasattr(self.estimator, "predict_proba"):
            return
        batch = inputs[None] if self.mask is None else inputs[None, 0, self.mask]
        features = batch if batch.ndim == 2 else to_features(batch, self.order)
        ours = self.predict(inputs[None])[0]
        own = np.asarray(self.estimator.predict_proba(features.astype(np.float64)))[0]
        if own.shape != ours.shape or np.abs(own - ours).max() > _SAME_PROBABILITY:
            raise ModelError(
                f"{self.spec} itself gives the probabilities {_listed(own)}, its weights "
                f"{_listed(ours)}: expected the same; explain it as a function of arrays, which "
                "calls its predict_proba"
            )


def _explain_missing_probabilities(estimator: SklearnObject, *, is_linear: bool) -> None:
    """Warn that decision values are taken for log-odds; raise a ModelError if not linear."""
    if hasattr(estimator, "predict_proba"):
        return
    name = type(estimator).__name__
    remedy = (
        "for probabilities, fit sklearn.calibration.CalibratedClassifierCV(estimator, "
        "ensemble=False)"
    )
    if not is_linear:
        raise ModelError(
            f"{name} has no predict_proba, and its decision function is not linear: expected class "
            f"probabilities; {remedy}"
        )
    warnings.warn(
        f"{name} has no predict_proba: its decision values are taken for log-odds, which are not "
        f"calibrated; {remedy}",
        EngineWarning,
        stacklevel=2,
    )


class Estimator(Model):
    """A fitted scikit-learn estimator that is no linear model.

    Parameters
    ----------
    estimator : has `classes_` and `predict_proba`; its features are the input's values.
    order : of the features; None if it was not stated.
    """

    def __init__(self, estimator: SklearnObject, order: Order | None = None) -> None:
        self.estimator = estimator
        self.order = order
        self.labels = [str(label) for label in estimator.classes_]
        self.spec = f"sklearn:{type(estimator).__name__}"

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return class probabilities (n, K); there are no nodes."""
        self._refuse_node(node)
        # Some estimators compute in the precision of what they get, and float32 leaves 1 - p no
        # digits where p is near 1.
        flat = to_features(inputs, self.order)
        try:
            values = self.estimator.predict_proba(flat)
        except ValueError as error:
            raise ModelError(
                f"{self.spec} does not take inputs of shape {inputs.shape[1:]}, flattened to "
                f"{flat.shape[1]} features ({first_line(error)})"
            ) from error
        return checked_values(values, len(inputs), self.spec)

    def check(self, inputs: Pixels, *, is_scan: bool) -> None:
        """Raise a ModelError if it is unknown which feature is which voxel of a scan."""
        del inputs
        if is_scan and self.order is None:
            raise ModelError(
                f"{self.spec} says nothing of the order of its features: {STATE_ORDER}"
            )


def _listed(probabilities: Floats) -> str:
    return ", ".join(f"{value:.4g}" for value in probabilities)
