"""Expected softmax of normal logits: to 1e-10, whatever their spread.

Along any line, a softmax of logits that change by no more than r on the way is analytic within a
distance of π/r, so two rules have bounds for their error: Gauss-Hermite's for a small spread, by
Cauchy's estimate of the derivatives; the trapezoidal rule's for a larger one (Trefethen & Weideman,
SIAM Review 56, 2014, theorem 5.1). Axis names: k logit, n window, q node.
"""

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]

_TOLERANCE = 1e-11
_STRIP = 0.9 * math.pi  # share of the way to the nearest pole, for a spread of 1
_LARGEST = 1 / math.cos(_STRIP / 2)  # that the modulus of a softmax can be in there
_REACH = 7.0  # standard deviations: what lies beyond has a probability of 3e-12
_MOST_HERMITE = 9  # nodes
_WIDE = 2.0  # spread from which on a logistic function is taken as a step and what is left of it
_DECAY, _LEGENDRE = 26.0, 40  # logit beyond which what is left of the step is below 1e-11; nodes
_MOST = 1 << 19  # nodes of a product rule; where more were needed, draws are taken instead
_HELD = 1 << 20  # logits at once
_REPEATS, _DRAWS = 16, 1024


@cache
def rule(spread: float) -> tuple[Floats, Floats]:
    """Nodes and weights (q,) for the standard normal, for a softmax of logits of a spread.

    Parameters
    ----------
    spread : by how much the difference of two logits changes in a standard deviation, at most.
    """
    for count in range(1, _MOST_HERMITE + 1):
        bound = math.factorial(count) * (spread / _STRIP) ** (2 * count)
        if _LARGEST * bound < _TOLERANCE:
            nodes, weights = special.roots_hermitenorm(count)
            return nodes, weights / weights.sum()
    digits = math.log(2 * _LARGEST / _TOLERANCE)
    strip = min(_STRIP / spread, math.sqrt(2 * digits))
    step = 2 * math.pi * strip / (digits + strip**2 / 2)
    side = math.ceil(_REACH / step)
    nodes = step * np.arange(-side, side + 1, dtype=np.float64)
    return nodes, step / math.sqrt(2 * math.pi) * np.exp(-(nodes**2) / 2)


def expected_softmax(
    mean: Floats, covariance: Floats, numbers: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Mean of the softmax of normal logits, and its standard error.

    Parameters
    ----------
    mean : (k, n), of all logits but the first one, which is 0.
    covariance : (k, k, n), of the same.
    numbers : (n,), from which random numbers follow, where they are needed.

    Returns
    -------
    (k + 1, n): probabilities, and standard errors, which are 0 but where so many nodes would be
    needed that draws were taken.
    """
    if len(mean) == 1:
        p = expected_logistic(mean[0], np.sqrt(covariance[0, 0]))
        return p, np.zeros_like(p)
    axes, spreads = _axes(covariance)
    p, error = np.empty((2, len(mean) + 1, mean.shape[1]))
    for edges, which in _alike(spreads):
        rules = [rule(edge) for edge in edges]
        if math.prod(len(nodes) for nodes, _ in rules) <= _MOST:
            p[:, which] = _by_product(mean[:, which].T, axes[which], rules)
            error[:, which] = 0
        else:
            for n in which:
                p[:, n], error[:, n] = _by_draws(mean[:, n], axes[n], numbers[n])
    return p, error


def expected_logistic(mean: Floats, spread: Floats) -> Floats:
    """Mean of 1 - σ(z) and of σ(z), (2, n), for normal logits z of mean (n,) and spread (n,)."""
    if not spread.any():
        return np.stack([special.expit(-mean), special.expit(mean)])
    rare = np.empty_like(mean)  # the one that is below 1/2, so that no digits are lost
    below = -np.abs(mean)
    for (edge,), which in _alike(spread[:, None]):
        for some in _parts(which, 64):
            if edge > _WIDE:
                rare[some] = _wide(below[some], spread[some])
            else:
                nodes, weights = rule(edge)
                rare[some] = weights @ special.expit(below[some] + nodes[:, None] * spread[some])
    return np.where(mean < 0, (1 - rare, rare), (rare, 1 - rare))


def _wide(mean: Floats, spread: Floats) -> Floats:
    """σ(z) is a step, less σ(-|z|) above 0 and more by it below: smooth on either side."""
    nodes, weights = np.polynomial.legendre.leggauss(_LEGENDRE)
    nodes, weights = _DECAY * (nodes[:, None] + 1) / 2, _DECAY * weights / 2
    below, above = (np.exp(-(((nodes + s * mean) / spread) ** 2) / 2) for s in (1, -1))
    rest = (weights * special.expit(-nodes[:, 0])) @ (below - above)
    return np.asarray(special.ndtr(mean / spread) + rest / (spread * math.sqrt(2 * math.pi)))


def _axes(covariance: Floats) -> tuple[Floats, Floats]:
    """Principal axes (n, k, axis) of one standard deviation, and their spreads (n, axis)."""
    values, vectors = np.linalg.eigh(np.moveaxis(covariance, 2, 0))
    axes = vectors * np.sqrt(np.maximum(values, 0))[:, None]
    return axes, np.maximum(axes.max(axis=1), 0) - np.minimum(axes.min(axis=1), 0)


def _by_product(mean: Floats, axes: Floats, rules: list[tuple[Floats, Floats]]) -> Floats:
    """Mean softmax (k + 1, n) by the product of the axes' rules; mean (n, k)."""
    nodes = np.stack(np.meshgrid(*(nodes for nodes, _ in rules)), axis=-1).reshape(-1, len(rules))
    weights = np.stack(np.meshgrid(*(weights for _, weights in rules)), axis=-1).reshape(
        nodes.shape
    )
    result = np.empty((mean.shape[1] + 1, len(mean)))
    for some in _parts(np.arange(len(mean)), nodes.size):
        logits = mean[some, :, None] + axes[some] @ nodes.T
        result[:, some] = (_softmax(logits) @ weights.prod(axis=1)).T
    return result


def _by_draws(mean: Floats, axes: Floats, number: np.int64) -> tuple[Floats, Floats]:
    """Mean softmax (k + 1,) and its standard error for one window, by shifted Sobol points."""
    random = np.random.Generator(np.random.Philox(key=int(number)))
    shifts = random.random((_REPEATS, 1, len(mean)))
    nodes = special.ndtri(np.clip((_points(len(mean)) + shifts) % 1, 1e-15, 1 - 1e-15))
    logits = mean[:, None] + axes @ np.moveaxis(nodes, 1, 2)
    means = _softmax(logits).mean(axis=2)
    return means.mean(axis=0), means.std(axis=0, ddof=1) / math.sqrt(_REPEATS)


@cache
def _points(dimensions: int) -> Floats:
    return np.asarray(stats.qmc.Sobol(dimensions, scramble=False).random(_DRAWS))


def _softmax(logits: Floats) -> Floats:
    """(..., k, q) → (..., k + 1, q), with a first logit of 0."""
    every = np.concatenate([np.zeros_like(logits[..., :1, :]), logits], axis=-2)
    return np.asarray(special.softmax(every, axis=-2))


def _alike(spreads: Floats) -> Iterator[tuple[tuple[float, ...], NDArray[np.int64]]]:
    """What is evaluated by the same rules: the upper edges of spreads (n, axis), and numbers."""
    steps = np.ceil(2 * np.log2(np.clip(spreads, 2.0**-20, 2.0**20))).astype(np.int8)
    order = np.lexsort(steps.T)
    ends = np.flatnonzero(np.any(np.diff(steps[order], axis=0), axis=1)) + 1
    for which in np.split(order, ends):
        yield tuple(2.0 ** (int(step) / 2) for step in steps[which[0]]), which


def _parts(which: NDArray[np.int64], each: int) -> Iterator[NDArray[np.int64]]:
    """Some at a time, when each takes so many numbers."""
    several = max(1, _HELD // each)
    for first in range(0, len(which), several):
        yield which[first : first + several]
