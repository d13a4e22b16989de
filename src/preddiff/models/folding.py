"""scikit-learn pipelines of linear steps, folded into one weight per feature.

Axis names: k logit, f feature of the input, q feature between two steps.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import numpy as np
from scipy import special

from preddiff.types import Floats

_PROBE_POINTS = 16
_LARGEST_PROBE_LOGIT = 3.0
_PROBABILITY_TOLERANCE = 1e-6  # scikit-learn keeps some steps in float32
# Of the largest eigenvalue of W Wᵀ. Weights that were fitted in float32 are right to 1e-7 of their
# largest, so that eigenvalues, which are squares, are noise up to 1e-14 times some hundred.
_SMALLEST_DIRECTION = 1e-10

SklearnObject = Any
"""A fitted step or estimator of scikit-learn, which publishes no types."""

Weights = Annotated[Floats, "k f"]
"""One weight per logit and feature."""

Intercept = Annotated[Floats, "k"]

Folded = tuple[Weights, Intercept]
"""Weights (k, f) and what is added to the logits, (k,)."""

# How a pipeline becomes one linear model. Its last step computes the logits z = W q + b of what it
# gets, q. If the step before is affine in what it gets, q = S x + t, then
#
#     z = W (S x + t) + b = (W S) x + (W t + b),
#
# which is linear again, with weights W S and intercept b + W t. So the steps are gone through from
# the last to the first, and each turns the weights on what it gives into weights on what it gets.
# No S is ever built: for a scan it would have (number of voxels)² entries where a scaler needs one
# number per voxel.


def fold(estimator: SklearnObject) -> Folded | None:
    """Return the weights and intercepts of the softmax that a fitted estimator computes.

    Of an estimator without probabilities, those of its decision function.

    Returns
    -------
    (K, feature) and (K,); for two classes one row, the logit of the second. None if a step is not
    known to be linear, or the estimator's probabilities are no softmax of these logits: that is
    tried out, whatever the steps are called.
    """
    folded = _linear_form(estimator)
    return folded if folded is not None and _agrees(estimator, *folded) else None


def _linear_form(estimator: SklearnObject) -> Folded | None:
    """Weights and intercepts of an estimator's logits, or of its decision function; unchecked."""
    *steps, last = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    folded = _last(last)
    if folded is None:
        return None
    weights, intercept = folded
    for step in reversed(steps):
        pull_back = _pullback(step)
        if pull_back is None:
            return None
        weights, shift = pull_back(step, weights)
        intercept = intercept + shift
    return weights, intercept


def _last(last: SklearnObject) -> Folded | None:
    """Weights and intercepts of a pipeline's last step."""
    if hasattr(last, "best_estimator_"):  # a search over settings
        return _linear_form(last.best_estimator_)
    calibrated: Sequence[SklearnObject] = getattr(last, "calibrated_classifiers_", ())
    if len(calibrated) == 1:  # several are a mean of sigmoids, which is no sigmoid
        inner, slopes = _linear_form(calibrated[0].estimator), calibrated[0].calibrators
        if inner is None or len(slopes) != 1 or not hasattr(slopes[0], "a_"):
            return None
        return _platt(inner, slopes[0].a_, slopes[0].b_)
    if not (hasattr(last, "coef_") and hasattr(last, "intercept_")):
        return None
    weights = np.atleast_2d(np.asarray(last.coef_, dtype=np.float64))
    intercept = np.atleast_1d(np.asarray(last.intercept_, dtype=np.float64))
    return weights, intercept


def _platt(folded: Folded, slope: float, shift: float) -> Folded:
    """Logits where p = 1 / (1 + exp(slope · f + shift)) of a decision function f (Platt 1999)."""
    weights, intercept = folded
    return -slope * weights, -slope * intercept - shift


@contextmanager
def without_names() -> Iterator[None]:
    """Within, an estimator that was fitted on a table with names gets arrays, which have none."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        yield


@without_names()
def _agrees(estimator: SklearnObject, weights: Weights, intercept: Floats) -> bool:
    """Return whether an estimator gives the softmax of these logits where they are up to ±3."""
    # Names prove nothing: a scaler may clip, a classifier may fit one class against the rest, and
    # a subclass may do anything. So the estimator itself is asked. Random features would have huge
    # logits, where every softmax is 0 or 1 and agrees with any other; the points are therefore made
    # from the logits. Of all x with W x = z - b, the pseudo-inverse gives the shortest,
    # x = Wᵀ (W Wᵀ)⁺ (z - b).
    random = np.random.default_rng(0)
    limit = _LARGEST_PROBE_LOGIT
    logits = random.uniform(-limit, limit, size=(_PROBE_POINTS, len(weights)))
    # The rows of a softmax's weights sum to 0 but for rounding, which would be inverted to noise.
    products = weights @ weights.T
    inverse = np.linalg.pinv(products, rcond=_SMALLEST_DIRECTION, hermitian=True) @ weights
    points = (logits - intercept) @ inverse
    # These lie in the span of the weights, where a quadratic step could look linear by chance. As
    # long a step in the null space of W, which moves no logit of a linear model, leads out of it.
    aside = random.normal(size=points.shape)
    aside -= (aside @ weights.T) @ inverse
    length = np.linalg.norm(points, axis=1, keepdims=True)
    points += aside * length / np.linalg.norm(aside, axis=1, keepdims=True).clip(1e-300)
    logits = points @ weights.T + intercept
    if not hasattr(estimator, "predict_proba"):
        found = np.asarray(estimator.decision_function(points)).reshape(len(points), -1)
        return found.shape == logits.shape and bool(
            np.abs(found - logits).max() < _PROBABILITY_TOLERANCE
        )
    if len(weights) == 1:  # softmax(0, z) is (1 - sigmoid(z), sigmoid(z))
        logits = np.hstack([np.zeros_like(logits), logits])
    found = estimator.predict_proba(points)
    expected = special.softmax(logits, axis=1)
    if found.shape != expected.shape:
        return False
    return bool(np.abs(found - expected).max() < _PROBABILITY_TOLERANCE)


_CASTS = (None, np.float64, np.float32)
"""Functions of a FunctionTransformer that leave values as they are."""

Pullback = Callable[[SklearnObject, Weights], Folded]
"""From a step and weights (k, q) on what it gives to weights (k, f) on what it gets."""


def _pullback(step: SklearnObject) -> Pullback | None:
    """The pullback of a step, or None if the step is not known to be affine."""
    if step is None or step == "passthrough" or getattr(step, "func", "") in _CASTS:
        return lambda _, weights: (weights, np.zeros(len(weights)))
    if hasattr(step, "get_support"):
        return _select
    return _PULLBACKS.get(type(step).__name__)


def _select(step: SklearnObject, weights: Weights) -> Folded:
    """Feature selection: features that were dropped get weight 0."""
    chosen = step.get_support()
    spread = np.zeros((len(weights), len(chosen)))
    spread[:, chosen] = weights
    return spread, np.zeros(len(weights))


def _standard(step: SklearnObject, weights: Weights) -> Folded:
    """q = (x - mean) / scale."""
    weights = weights / step.scale_ if step.with_std else weights
    return weights, -weights @ step.mean_ if step.with_mean else np.zeros(len(weights))


def _robust(step: SklearnObject, weights: Weights) -> Folded:
    """q = (x - median) / interquartile range."""
    weights = weights / step.scale_ if step.with_scaling else weights
    return weights, -weights @ step.center_ if step.with_centering else np.zeros(len(weights))


def _min_max(step: SklearnObject, weights: Weights) -> Folded:
    """q = x · scale + min."""
    return weights * step.scale_, weights @ step.min_


def _max_abs(step: SklearnObject, weights: Weights) -> Folded:
    """q = x / scale."""
    return weights / step.scale_, np.zeros(len(weights))


def _components(step: SklearnObject, weights: Weights) -> Folded:
    """PCA and truncated SVD: q = V (x - mean), divided by standard deviations if whitened."""
    if getattr(step, "whiten", False):
        weights = weights / np.sqrt(step.explained_variance_)
    weights = weights @ step.components_
    mean = getattr(step, "mean_", None)
    return weights, np.zeros(len(weights)) if mean is None else -weights @ mean


def _linear_kernel(step: SklearnObject, weights: Weights) -> Folded:
    """Kernel PCA of a linear kernel: components are sums of the centred examples."""
    # With X the examples, x̄ their mean, and v, λ an eigenvector and eigenvalue of the centred
    # kernel matrix, a component is vᵀ (X - x̄) (x - x̄) / √λ (Schölkopf, Smola & Müller 1998).
    # scikit-learn leaves components of λ = 0 at 0. For other kernels this is wrong, which `_agrees`
    # finds.
    mean = step.X_fit_.mean(axis=0, dtype=np.float64)
    known = step.eigenvalues_ > 0
    sums = (weights[:, known] / np.sqrt(step.eigenvalues_[known])) @ step.eigenvectors_[:, known].T
    # sums (X - x̄) without a centred copy of X, which may be all scans of a study.
    weights = sums @ step.X_fit_ - sums.sum(axis=1, keepdims=True) * mean
    return weights, -weights @ mean


_PULLBACKS: dict[str, Pullback] = {
    "StandardScaler": _standard,
    "RobustScaler": _robust,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "PCA": _components,
    "TruncatedSVD": _components,
    "KernelPCA": _linear_kernel,
}
