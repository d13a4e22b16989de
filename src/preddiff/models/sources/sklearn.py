"""scikit-learn's estimators: with predict_proba, and regressors, on flattened inputs."""

import warnings

import numpy as np

from preddiff.errors import EngineWarning, ModelError, first_line
from preddiff.models.base import Model, checked_values
from preddiff.models.columns import Columns
from preddiff.models.folding import Intercept, SklearnObject, Weights, fold, without_names
from preddiff.models.linear import Linear
from preddiff.models.masking import Masking, MaskSource, is_masker
from preddiff.models.masking import opened as opened_masking
from preddiff.models.order import STATE_ORDER, Features, Order, check_features, to_features
from preddiff.models.request import VALUE_UNIT
from preddiff.types import AnyShape, Batch, Floats, Pixels, Predictions

_SAME_PROBABILITY = 1e-3  # steps in float32, and kernels of large intensities, lose digits


def from_estimator(
    estimator: SklearnObject,
    order: Order | None = None,
    mask: MaskSource | None = None,
    columns: Columns | None = None,
) -> Model:
    """Return the model of a fitted estimator whose features are the input's values in some order.

    Linear steps and a softmax become a `Linear`, which has a closed form; any other estimator is
    asked about every draw.

    Parameters
    ----------
    mask : features are the voxels of a scan in it; None takes the masker that a pipeline begins
        with, or all values of the input.

    Raises
    ------
    ModelError
        If the estimator is not fitted, or gives no probabilities and is not linear.
    """
    regresses = is_regressor(estimator)
    if not (is_fitted(estimator) if regresses else hasattr(estimator, "classes_")):
        raise ModelError(f"{type(estimator).__name__} is not fitted: call .fit(X, y) first")
    estimator, masker = _without_masker(estimator)
    if masker is not None and mask is not None:
        raise ModelError(
            f"mask: {type(estimator).__name__} has a {type(masker).__name__} of its own; leave it "
            "out"
        )
    mask = masker if mask is None else mask
    masking = None if mask is None else opened_masking(mask, order)
    if regresses:
        return Estimator(estimator, order, masking, columns)
    folded = fold(estimator) if columns is None else None
    _explain_missing_probabilities(estimator, is_linear=folded is not None)
    if folded is None:
        return Estimator(estimator, order, masking, columns)
    if masking is None:
        return Folded(estimator, *folded, order=order)
    return of_voxels(estimator, *folded, masking)


def is_regressor(source: object) -> bool:
    """Return whether an object is a regressor of scikit-learn, or a pipeline that ends in one."""
    from sklearn.base import is_regressor as is_one

    return hasattr(source, "predict") and hasattr(source, "get_params") and bool(is_one(source))


def is_fitted(estimator: SklearnObject) -> bool:
    """Return whether an estimator was fitted."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def of_voxels(
    estimator: SklearnObject, weights: Weights, intercept: Intercept, masking: Masking
) -> "Folded":
    """Return the model of weights (K, feature) of the voxels in a mask.

    All other voxels of its grid count with weight 0, so that a window there is worth nothing
    instead of being unknown.
    """
    masking.check_count(weights.shape[1], type(estimator).__name__)
    return Folded(estimator, masking.on_voxels(weights), intercept, masking=masking)


def _without_masker(estimator: SklearnObject) -> tuple[SklearnObject, SklearnObject | None]:
    """Return an estimator of features, and the masker that makes them, if there is one.

    nilearn's maskers are the first step of a pipeline, or within a `Decoder`.
    """
    found: SklearnObject = getattr(estimator, "best_estimator_", estimator)
    steps = getattr(found, "steps", None)
    if steps and is_masker(steps[0][1]):
        return found[1:], steps[0][1]
    return estimator, getattr(estimator, "masker_", None)


class Folded(Linear):
    """A fitted scikit-learn estimator as one weight per value, held against the estimator itself.

    Parameters
    ----------
    estimator : the softmax of these weights, as it should be.
    weights : (K, feature), or (K, channel, *spatial); one row for two classes.
    intercept : (K,).
    order : of the features; None if it was not stated.
    masking : where the features are voxels of a scan; then the weights are (K, 1, z, y, x).
    """

    def __init__(
        self,
        estimator: SklearnObject,
        weights: AnyShape,
        intercept: AnyShape,
        *,
        order: Order | None = None,
        masking: Masking | None = None,
    ) -> None:
        super().__init__(weights[0] if len(weights) == 1 else weights, intercept, order=order)
        self.estimator = estimator
        _lay_on_grid(self, masking)
        self.labels = [str(label) for label in estimator.classes_]
        self.classes = len(self.labels)
        self.spec = f"sklearn:{type(estimator).__name__}"
        self.train_size = _examples(estimator)
        self.feature_names = _feature_names(estimator)

    def check(self, inputs: Pixels, *, is_scan: bool) -> None:
        """Raise a ModelError if the estimator says something else of this input than its weights.

        The same if it is unknown which weight is of which voxel of a scan.
        """
        super().check(inputs, is_scan=is_scan)
        if self.masking is not None:
            self.masking.check(inputs)
        if not hasattr(self.estimator, "predict_proba"):
            return
        ours = self.predict(inputs[None])[0]
        with without_names():
            own = np.asarray(self.estimator.predict_proba(_features(self, inputs[None])))[0]
        if own.shape != ours.shape or np.abs(own - ours).max() > _SAME_PROBABILITY:
            raise ModelError(
                f"{self.spec} itself gives the probabilities {_listed(own)}, its weights "
                f"{_listed(ours)}: expected the same; explain it as a function of arrays, which "
                "calls its predict_proba"
            )


def _examples(estimator: SklearnObject) -> float | None:
    """Return how many examples a pipeline was fitted on, where a step of it remembers."""
    counts = [
        int(np.max(getattr(step, name)))
        for _, step in getattr(estimator, "steps", ())
        for name in ("n_samples_seen_", "n_samples_")  # of scalers, and of a PCA
        if hasattr(step, name)
    ]
    return max(counts, default=None)


def _feature_names(estimator: SklearnObject) -> list[str] | None:
    """Return the names of the columns that an estimator was fitted on; None of an array's."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _lay_on_grid(model: Model, masking: Masking | None) -> None:
    """Let a model be one of scans on a mask's grid, if there is a mask."""
    model.masking = masking
    if masking is not None:
        model.order, model.grid = masking.order, masking.grid
        model.shape = (1, *masking.grid.shape)


def _features(model: Model, inputs: Batch) -> Features:
    """Return the features of inputs (n, channel, *spatial), as an estimator gets them."""
    # Some estimators compute in the precision of what they get, and float32 leaves 1 - p no
    # digits where p is near 1: features are float64.
    if model.masking is None:
        return to_features(inputs, model.order)
    return model.masking.features(inputs)


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
    """A fitted scikit-learn estimator that is no linear model, or a regressor.

    Parameters
    ----------
    estimator : has `classes_` and `predict_proba`, or is a regressor; its features are the input's
        values.
    order : of the features; None if it was not stated.
    masking : where the features are voxels of a scan.
    columns : of the table that it was fitted on: it gets rows as that table has them.
    """

    def __init__(
        self,
        estimator: SklearnObject,
        order: Order | None = None,
        masking: Masking | None = None,
        columns: Columns | None = None,
    ) -> None:
        self.estimator = estimator
        self.order = order
        self.columns = columns
        if masking is not None:
            masking.check_count(estimator.n_features_in_, type(estimator).__name__)
        _lay_on_grid(self, masking)
        if is_regressor(estimator):
            self.output, self.value_unit = "values", VALUE_UNIT
        else:
            self.labels = [str(label) for label in estimator.classes_]
            self.classes = len(self.labels)
        self.spec = f"sklearn:{type(estimator).__name__}"
        self.train_size = _examples(estimator)
        # Rows that `columns` encodes are in the table's order.
        self.feature_names = None if columns else _feature_names(estimator)

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return class probabilities, or values of a regressor, (n, K); there are no nodes."""
        self._refuse_node(node)
        flat = _features(self, inputs)
        rows = flat if self.columns is None else self.columns.decode(flat)
        is_value = self.value_unit is not None
        try:
            with without_names():
                ask = self.estimator.predict if is_value else self.estimator.predict_proba
                values = np.asarray(ask(rows))
        except ValueError as error:
            hint = "" if self.columns else "; if it was fitted on a table, load_model(..., table=)"
            raise ModelError(
                f"{self.spec} does not take inputs of shape {inputs.shape[1:]}, flattened to "
                f"{flat.shape[1]} features ({first_line(error)}){hint}"
            ) from error
        values = values[:, None] if is_value and values.ndim == 1 else values
        return checked_values(values, len(inputs), self.spec)

    def check(self, inputs: Pixels, *, is_scan: bool) -> None:
        """Raise a ModelError if it is unknown which feature is which voxel of a scan."""
        if self.masking is not None:
            self.masking.check(inputs)
        elif is_scan and hasattr(self.estimator, "n_features_in_"):
            check_features(self.spec, self.estimator.n_features_in_, inputs)
        if is_scan and self.order is None:
            raise ModelError(
                f"{self.spec} says nothing of the order of its features: {STATE_ORDER}"
            )


def _listed(probabilities: Floats) -> str:
    return ", ".join(f"{value:.4g}" for value in probabilities)
