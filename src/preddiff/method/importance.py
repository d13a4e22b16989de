"""Importance: how much an answer depends on each pixel at all, either way, and its standard error.

Relevance is the mean evidence of the windows that cover a pixel, in which evidence for and against
cancels. Importance is the root mean square of the same evidence, in the same unit: 0 only where
hiding a window never changes the answer. Letters of axes: t target.
"""

import numpy as np

from preddiff.method import uncertainty
from preddiff.method.evidence import INTERVAL
from preddiff.method.interpolation import Visited
from preddiff.method.uncertainty import Groups, VisitedEvidence
from preddiff.method.windows import Windows
from preddiff.types import Relevance


def mean_square(
    every: Windows, visited: Visited, evidence: VisitedEvidence, error: VisitedEvidence
) -> Relevance:
    """Return the mean squared evidence (t, *shape) of the windows that cover each pixel.

    The variance of the draws is taken off, so that few draws do not make it larger: it is unbiased,
    and may be below 0. Windows that were not visited are interpolated. NaN where no visited window
    is.

    Parameters
    ----------
    evidence, error : (t, visited), evidence and its standard error from the draws. Where an error
        is unknown (NaN), nothing can be taken off: the mean square is then too large on average.
    """
    # Evidence y with the error s is e + s z of the true e, and E y² = e² + s². The estimated s² has
    # the expectation s² however few the draws, so E(y² - s²) = e² exactly.
    squares = evidence**2 - np.nan_to_num(error) ** 2
    return uncertainty.relevance(every, visited, squares)


def importance_and_error(
    every: Windows,
    visited: Visited,
    evidence: VisitedEvidence,
    error: VisitedEvidence,
    bias: VisitedEvidence | float = 0.0,
    groups: Groups | None = None,
    dependent: Relevance | None = None,
) -> tuple[Relevance, Relevance]:
    """Return the root of `mean_square`, at least 0, and its standard error, both (t, *shape).

    The error holds the same parts as that of the relevance. It is 0 where all evidence is exact. It
    is NaN where errors are unknown, as with one draw per window; importance is then an upper bound.

    Parameters
    ----------
    evidence, error : as of `mean_square`.
    bias : (t, visited), what was subtracted from the evidence as its bias.
    groups : (visited,), groups of draws that each error was estimated from; None if it is known.
    dependent : (t, *shape), the variance of `mean_square` where errors of windows depend on each
        other, without that of windows that were not visited.
    """
    square = mean_square(every, visited, evidence, error)
    if dependent is not None and len(visited) == len(every):
        variance = dependent
    else:
        variance = _variance(every, visited, evidence, error, groups)
        variance = variance if dependent is None else np.fmax(variance, dependent)
    # As in the relevance, half of the bias counts as an error that windows share. It changes the
    # square of e by 2 e · bias / 2.
    systematic = every.subset(visited).mean(evidence * bias)
    return _root(square, variance + systematic**2)


def _variance(
    every: Windows,
    visited: Visited,
    evidence: VisitedEvidence,
    error: VisitedEvidence,
    groups: Groups | None,
) -> Relevance:
    """Return the variance (t, *shape) of `mean_square`."""
    # Of a normal y = e + s z, and an independent estimate s'² of s² with f degrees of freedom,
    #
    #     Var(y²) = 4 e² s² + 2 s⁴,   Var(s'²) = 2 s⁴ / f,
    #     Var(y² - s'²) = 4 e² s² + 2 s⁴ (1 + 1 / f).
    #
    # y and s' put in as they are would give too much: E y² s'² = (e² + s²) s², and
    # E s'⁴ = s⁴ (1 + 2 / f). With these two, the estimate of the variance that is unbiased is
    #
    #     4 y² s'² - 2 s'⁴ (f - 1) / (f + 2),
    #
    # and that of its part without e, below which the variance cannot be, 2 s'⁴ (f + 1) / (f + 2).
    # Where few windows cover a pixel the first may come out below the second, even below 0.
    # Where windows were not visited, variances are pooled over many.
    freedom = np.inf if groups is None else np.maximum(groups - 1.0, 1.0)
    noise = error**2
    drawn = 4 * evidence**2 * noise - 2 * (1 - 3 / (freedom + 2)) * noise**2
    variance = uncertainty.variance(every, visited, evidence**2 - np.nan_to_num(noise), drawn)
    if len(visited) < len(every):
        return variance
    least = 2 * (1 - 1 / (freedom + 2)) * noise**2
    return np.maximum(variance, uncertainty.variance(every, visited, evidence, least))


def _root(square: Relevance, variance: Relevance) -> tuple[Relevance, Relevance]:
    """Return the root of an estimated square, at least 0, and its standard error.

    Parameters
    ----------
    square : estimate, which may be below 0.
    variance : of `square`.
    """
    # Far from 0 the delta method says s / (2 root) for a square with the standard error s. It grows
    # without limit towards 0, where the root is not smooth. What holds everywhere is the interval
    # of the square, whose ends' roots hold the true root as often as the ends hold the true square.
    # The ends are not equally far from the root; the farther one, divided by the number of standard
    # errors in an interval, is an error with which the interval around the root contains that of
    # the square. Far from 0, both are what the delta method says.
    root = np.sqrt(np.maximum(0.0, square))
    half = INTERVAL * np.sqrt(variance)
    below = root - np.sqrt(np.maximum(0.0, square - half))
    above = np.sqrt(np.maximum(0.0, square) + half) - root
    return root, np.maximum(below, above) / INTERVAL
