"""Expected softmax of normal logits: to 1e-10, whatever their spread.

The spread of a normal along a line is how much the difference of two logits changes in one standard
deviation. A rule (nodes and weights) for the standard normal is chosen by the spread:

- up to 2: Gauss-Hermite or the trapezoidal rule, whichever `rule` finds sufficient;
- above, for two classes: a step and a smooth rest (`_expected_wide`);
- several logits: a product of rules along the principal axes, or quasi-random points where a
  product would take too many nodes.

All bounds rest on one fact. Let the logits of a softmax be linear in t, and let no difference of
two of them change by more than r per unit of t. At t = x + iy their imaginary parts lie within
θ = r·|y| of each other. While θ < π, the terms exp(z_k) of the denominator lie within an angle θ:
turned to its middle, each has a real part of at least cos(θ/2)·|exp(z_k)|. So the denominator is
not 0, the softmax is analytic for |y| < π/r, and its modulus is at most 1 / cos(θ/2).

Axis names: k logit, n window, q node.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Annotated

import numpy as np
from scipy import special

from preddiff.types import Floats, Integers

PerClass = Annotated[Floats, "class n"]
"""Mean probabilities, or their standard errors."""

_TOLERANCE = 1e-11  # of one rule; sums over a few axes and parts stay below 1e-10
# The strip that bounds use, for a spread of 1: nearly up to the poles at ±πi. Wider, functions are
# larger in it; narrower, they are smoother than the bound knows.
_STRIP = 0.9 * math.pi
_MAX_MODULUS = 1 / math.cos(_STRIP / 2)  # of a softmax in that strip
_REACH = 7.0  # standard deviations: what lies beyond has a probability of 3e-12
_MAX_HERMITE_NODES = 9  # where the bound asks for more, the trapezoidal rule is taken
_WIDE_SPREAD = 2.0  # from which on a logistic function is taken as a step and a rest
_DECAY = 26.0  # logit beyond which the rest, σ(-z), is below 1e-11
_LEGENDRE_NODES = 40
_MAX_PRODUCT_NODES = 1 << 19  # where a product rule takes more, points are drawn instead
_MAX_LOGITS_HELD = 1 << 20
_REPEATS, _POINTS = 16, 1024  # of shifted Sobol points: repeats tell the error of their mean
_SMALLEST, _LARGEST = 2.0**-20, 2.0**20  # spreads that are told apart


@cache
def rule(spread: float) -> tuple[Floats, Floats]:
    """Return nodes and weights (q,) for the standard normal, for a softmax of logits of a spread.

    Its error is at most 1e-11: by the bounds below, with M the bound of the modulus in the strip
    |Im t| ≤ a, a = 0.9π / spread.

    Parameters
    ----------
    spread : by how much the difference of two logits changes in a standard deviation, at most.
    """
    # Gauss-Hermite with m nodes: the error is m! / (2m)! · f^(2m) at some point. By Cauchy's
    # estimate on a disc of radius a, |f^(2m)| ≤ (2m)! M / a^(2m), so it is at most M · m! / a^(2m).
    # For small spreads a is large and few nodes do. With m the bound falls at first, and rises
    # again when m exceeds a², so larger spreads need another rule.
    for count in range(1, _MAX_HERMITE_NODES + 1):
        bound = math.factorial(count) * (spread / _STRIP) ** (2 * count)
        if _MAX_MODULUS * bound < _TOLERANCE:
            nodes, weights = special.roots_hermitenorm(count)
            return nodes, weights / weights.sum()
    # Trapezoidal with step h: for f times the normal density φ, which is analytic wherever f is,
    # the error is at most 2N / (exp(2πa/h) - 1), N the integral of |f·φ| along the strip's edge
    # (Trefethen & Weideman, SIAM Review 56, 2014, theorem 5.1). There, |φ(x + ia)| = φ(x)
    # exp(a²/2), so N = M exp(a²/2). Setting 2 M exp(a²/2 - 2πa/h) to the tolerance gives, with D =
    # log(2M / tolerance), the step h = 2πa / (D + a²/2). Any narrower strip has a bound, too: h is
    # longest at a = √(2D).
    digits = math.log(2 * _MAX_MODULUS / _TOLERANCE)
    strip = min(_STRIP / spread, math.sqrt(2 * digits))
    step = 2 * math.pi * strip / (digits + strip**2 / 2)
    side = math.ceil(_REACH / step)
    nodes = step * np.arange(-side, side + 1, dtype=np.float64)
    return nodes, step / math.sqrt(2 * math.pi) * np.exp(-(nodes**2) / 2)


def expected_softmax(
    mean: Annotated[Floats, "k n"],
    covariance: Annotated[Floats, "k k n"],
    numbers: Annotated[Integers, "n"],
) -> tuple[PerClass, PerClass]:
    """Return the mean of the softmax of normal logits, and its standard error.

    Parameters
    ----------
    mean : (k, n), of all logits but the first one, which is 0.
    covariance : (k, k, n), of the same.
    numbers : (n,), from which random numbers follow, where they are needed.

    Returns
    -------
    (k + 1, n): probabilities, and standard errors, which are 0 except where so many nodes would be
    needed that draws were taken.
    """
    if len(mean) == 1:
        p = expected_logistic(mean[0], np.sqrt(covariance[0, 0]))
        return p, np.zeros_like(p)
    axes, spreads = _axes(covariance)
    p, error = np.empty((2, len(mean) + 1, mean.shape[1]))
    for edges, which in _by_rule(spreads):
        rules = [rule(edge) for edge in edges]
        if math.prod(len(nodes) for nodes, _ in rules) <= _MAX_PRODUCT_NODES:
            p[:, which] = _by_product(mean[:, which].T, axes[which], rules)
            error[:, which] = 0
        else:
            for n in which:
                p[:, n], error[:, n] = _by_draws(mean[:, n], axes[n], numbers[n])
    return p, error


def expected_logistic(mean: Annotated[Floats, "n"], spread: Annotated[Floats, "n"]) -> PerClass:
    """Return the means of 1 - σ(z) and of σ(z), (2, n), for normal z of mean and spread (n,)."""
    if not spread.any():
        return np.stack([special.expit(-mean), special.expit(mean)])
    # σ(z) = 1 - σ(-z): the smaller of the two is computed and the other one is what is left, so
    # that a probability of 1e-9 keeps its digits. Log-odds need them.
    rare = np.empty_like(mean)
    below = -np.abs(mean)
    for (edge,), which in _by_rule(spread[:, None]):
        for some in _parts(which, 64):
            if edge > _WIDE_SPREAD:
                rare[some] = _expected_wide(below[some], spread[some])
            else:
                nodes, weights = rule(edge)
                rare[some] = weights @ special.expit(below[some] + nodes[:, None] * spread[some])
    return np.where(mean < 0, (1 - rare, rare), (rare, 1 - rare))


def _expected_wide(mean: Floats, spread: Floats) -> Floats:
    """Return the mean of σ(z) where σ is steep, compared with the normal."""
    # σ(z) is a step at 0, less σ(-z) above 0, and plus σ(z) below: the same function of |z| on
    # either side. The step's mean is Φ(mean / s), s the spread. The rest is, with u = |z|,
    #
    #     1 / (s √2π) ∫ σ(-u) [exp(-((u + mean) / s)² / 2) - exp(-((u - mean) / s)² / 2)] du
    #
    # over u > 0: the first term is the density at z = -u, the second at z = u. The integrand is
    # smooth on either side, if not across 0, and σ(-u) < exp(-u) ends it at u = 26. For s > 2 forty
    # Gauss-Legendre nodes are right to 1e-10 (the tests hold them against adaptive integration).
    nodes, weights = np.polynomial.legendre.leggauss(_LEGENDRE_NODES)
    nodes, weights = _DECAY * (nodes[:, None] + 1) / 2, _DECAY * weights / 2
    below, above = (np.exp(-(((nodes + s * mean) / spread) ** 2) / 2) for s in (1, -1))
    rest = (weights * special.expit(-nodes[:, 0])) @ (below - above)
    return np.asarray(special.ndtr(mean / spread) + rest / (spread * math.sqrt(2 * math.pi)))


def _axes(covariance: Floats) -> tuple[Floats, Floats]:
    """Return principal axes (n, k, axis) of one standard deviation, and their spreads (n, axis)."""
    # Along an axis, the k logits change by its entries and the first one by 0, so the difference of
    # two logits changes by at most the largest entry less the smallest, 0 among them.
    values, vectors = np.linalg.eigh(np.moveaxis(covariance, 2, 0))
    axes = vectors * np.sqrt(np.maximum(values, 0))[:, None]
    return axes, np.maximum(axes.max(axis=1), 0) - np.minimum(axes.min(axis=1), 0)


def _by_product(mean: Floats, axes: Floats, rules: list[tuple[Floats, Floats]]) -> Floats:
    """Return the mean softmax (k + 1, n) by the product of the axes' rules; mean (n, k)."""
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
    """Return the mean softmax (k + 1,) and its standard error for one window."""
    # Sobol points fill the cube more evenly than random ones, but tell no error. Shifted at random
    # (modulo 1), they are unbiased, and the spread of the means of 16 shifts is the error. The
    # random numbers follow from the window's number: the same window always gives the same value.
    random = np.random.Generator(np.random.Philox(key=int(number)))
    shifts = random.random((_REPEATS, 1, len(mean)))
    nodes = special.ndtri(np.clip((_sobol(len(mean)) + shifts) % 1, 1e-15, 1 - 1e-15))
    logits = mean[:, None] + axes @ np.moveaxis(nodes, 1, 2)
    means = _softmax(logits).mean(axis=2)
    return means.mean(axis=0), means.std(axis=0, ddof=1) / math.sqrt(_REPEATS)


@cache
def _sobol(dimensions: int) -> Floats:
    from scipy.stats import qmc  # a second to import, for what is rare

    return np.asarray(qmc.Sobol(dimensions, scramble=False).random(_POINTS))


def _softmax(logits: Floats) -> Floats:
    """Return the softmax of (..., k, q) and a first logit of 0: (..., k + 1, q)."""
    every = np.concatenate([np.zeros_like(logits[..., :1, :]), logits], axis=-2)
    return np.asarray(special.softmax(every, axis=-2))


def _by_rule(spreads: Floats) -> Iterator[tuple[tuple[float, ...], Integers]]:
    """Yield what is evaluated by the same rules: upper edges of spreads (n, axis), and numbers."""
    # Spreads are rounded up to powers of √2: a rule for a larger spread is right for a smaller one,
    # and a few rules serve all windows of a scan.
    bounded = np.clip(spreads, _SMALLEST, _LARGEST)
    steps = np.ceil(2 * np.log2(bounded)).astype(np.int8)
    order = np.lexsort(steps.T)
    ends = np.flatnonzero(np.any(np.diff(steps[order], axis=0), axis=1)) + 1
    for which in np.split(order, ends):
        yield tuple(2.0 ** (int(step) / 2) for step in steps[which[0]]), which


def _parts(which: Integers, each: int) -> Iterator[Integers]:
    """Yield some at a time, when each takes so many numbers."""
    several = max(1, _MAX_LOGITS_HELD // each)
    for first in range(0, len(which), several):
        yield which[first : first + several]
