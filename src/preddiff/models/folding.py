"""scikit-learn pipelines of linear steps, folded into one weight per feature.

Axis names: k logit, f feature of the input, q feature between two steps.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from preddiff.models.base import Floats

_PROBES = 16
_SLACK = 1e-6  # in the probabilities; scikit-learn keeps some steps in float32

Folded = tuple[Floats, Floats]
"""Weights (k, f) and what is added to the logits, (k,)."""


def fold(estimator: Any) -> Folded | None:
    """Weights (K, feature) and intercepts (K,) of the softmax that a fitted estimator computes.

    Of two classes there is one row, the logit of the second. None if a step is not known to be
    linear, or the estimator's probabilities are no softmax of them: that is tried out, whatever the
    steps are called.
    """
    names = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    *steps, last = names
    if not (hasattr(last, "coef_") and hasattr(last, "intercept_")):
        return None
    weights = np.atleast_2d(np.asarray(last.coef_, dtype=np.float64))
    intercept = np.atleast_1d(np.asarray(last.intercept_, dtype=np.float64))
    for step in reversed(steps):
        back = _of(step)
        if back is None:
            return None
        weights, shift = back(step, weights)
        intercept = intercept + shift
    return (weights, intercept) if _agrees(estimator, weights, intercept) else None


def _agrees(estimator: Any, weights: Floats, intercept: Floats) -> bool:
    """Whether an estimator gives the softmax of these logits on points with logits up to ±3."""
    random = np.random.default_rng(0)
    logits = random.uniform(-3, 3, size=(_PROBES, len(weights)))
    inverse = np.linalg.pinv(weights @ weights.T) @ weights
    points = (logits - intercept) @ inverse
    aside = random.normal(size=points.shape)
    aside -= (aside @ weights.T) @ inverse  # what changes no logit
    length = np.linalg.norm(points, axis=1, keepdims=True)
    points += aside * length / np.linalg.norm(aside, axis=1, keepdims=True).clip(1e-300)
    logits = points @ weights.T + intercept
    if len(weights) == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    found = estimator.predict_proba(points)
    expected = special.softmax(logits, axis=1)
    return found.shape == expected.shape and bool(np.abs(found - expected).max() < _SLACK)


def _of(step: Any) -> Callable[[Any, Floats], Folded] | None:
    """How weights (k, q) on what a step gives become weights (k, f) on what it gets."""
    if step is None or step == "passthrough":
        return lambda _, weights: (weights, np.zeros(len(weights)))
    if hasattr(step, "get_support"):
        return _select
    return _BACK.get(type(step).__name__)


def _select(step: Any, weights: Floats) -> Folded:
    chosen = step.get_support()
    spread = np.zeros((len(weights), len(chosen)))
    spread[:, chosen] = weights
    return spread, np.zeros(len(weights))


def _standard(step: Any, weights: Floats) -> Folded:
    weights = weights / step.scale_ if step.with_std else weights
    return weights, -weights @ step.mean_ if step.with_mean else np.zeros(len(weights))


def _robust(step: Any, weights: Floats) -> Folded:
    weights = weights / step.scale_ if step.with_scaling else weights
    return weights, -weights @ step.center_ if step.with_centering else np.zeros(len(weights))


def _min_max(step: Any, weights: Floats) -> Folded:
    return weights * step.scale_, weights @ step.min_


def _max_abs(step: Any, weights: Floats) -> Folded:
    return weights / step.scale_, np.zeros(len(weights))


def _components(step: Any, weights: Floats) -> Folded:
    """PCA and truncated SVD."""
    if getattr(step, "whiten", False):
        weights = weights / np.sqrt(step.explained_variance_)
    weights = weights @ step.components_
    mean = getattr(step, "mean_", None)
    return weights, np.zeros(len(weights)) if mean is None else -weights @ mean


def _kernel(step: Any, weights: Floats) -> Folded:
    """Kernel PCA of a linear kernel: components are sums of the centred examples."""
    mean = step.X_fit_.mean(axis=0, dtype=np.float64)
    known = step.eigenvalues_ > 0
    sums = (weights[:, known] / np.sqrt(step.eigenvalues_[known])) @ step.eigenvectors_[:, known].T
    weights = sums @ step.X_fit_ - sums.sum(axis=1, keepdims=True) * mean
    return weights, -weights @ mean


_BACK: dict[str, Callable[[Any, Floats], Folded]] = {
    "StandardScaler": _standard,
    "RobustScaler": _robust,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "PCA": _components,
    "TruncatedSVD": _components,
    "KernelPCA": _kernel,
}
