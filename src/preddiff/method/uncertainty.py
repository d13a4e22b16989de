"""The map of all windows, estimated from some of them, and its standard error.

The map at a pixel is the mean over its N windows. When n of them were visited, two things separate
the estimate from the map of all windows with unlimited draws:

- each visited window's evidence has an error of its own, from its few draws;
- N - n windows were not visited, and are interpolated.

The variances of both are estimated from the visited windows alone. Letters of axes: t target.
"""

from typing import Annotated

import numpy as np
from scipy import ndimage

from preddiff.method.interpolation import Interpolation, Visited
from preddiff.method.windows import Windows
from preddiff.types import Floats, Integers, Mask, PerTarget, PerWindow, Relevance

VisitedEvidence = Annotated[Floats, "target visited"]
"""Evidence of the visited windows, its standard error or its bias."""
Groups = Annotated[Integers, "visited"]
"""Groups of draws that each visited window had."""

# The unevenness is calibrated on one in so many of the visited windows, if those are enough to
# tell anything, and is not multiplied by less or more than these factors.
_CALIBRATION_SHARE = 4
_MIN_CALIBRATION_WINDOWS = 64
_MIN_WIDTH, _MAX_WIDTH = 0.1, 4.0
# Density of the visited windows relative to its mean: even where all is flat some are visited, as
# flat may only mean that nothing was met so far.
_MIN_ALLOCATION, _MAX_ALLOCATION = 0.25, 4.0


def relevance(every: Windows, visited: Visited, evidence: VisitedEvidence) -> Relevance:
    """Return the mean evidence (t, *shape) of the windows that cover each pixel.

    Windows that were not visited are interpolated. NaN where no visited window is: no value is
    shown where nothing was hidden yet.

    Parameters
    ----------
    visited : indices of the windows that were visited, ascending.
    evidence : (t, visited).
    """
    if len(visited) == len(every):
        return every.mean(evidence)
    # The plain mean of the visited windows that cover a pixel would be biased wherever evidence has
    # a slope: their centres do not balance around the pixel, but lie off by up to half a pitch.
    interpolation = Interpolation(every, visited)
    filled = np.stack([interpolation.interpolate(row) for row in evidence])
    filled[:, visited] = evidence
    covered = every.subset(visited).coverage > 0
    return np.where(covered, every.mean(filled), np.nan)


def standard_error(
    every: Windows,
    visited: Visited,
    evidence: VisitedEvidence,
    error: VisitedEvidence,
    bias: VisitedEvidence | float = 0.0,
) -> Relevance:
    """Return the standard error (t, *shape) of `relevance`.

    It holds the errors from the draws, those of windows that were not visited, and half of the bias
    that was subtracted.

    Parameters
    ----------
    error : (t, visited), standard error of `evidence` from the draws.
    bias : (t, visited), what was subtracted from the evidence as its bias.
    """
    windows = every.subset(visited)
    # A second-order correction is not exact where it is large. Half of it counts as an error, and
    # one that all windows may share: it is averaged with its sign and does not fall with their
    # number.
    systematic = windows.mean(np.broadcast_to(bias, evidence.shape)) / 2
    if len(visited) == len(every):
        return np.hypot(windows.error_of_mean(error), systematic)
    return np.sqrt(variance(every, visited, evidence, error**2) + systematic**2)


def variance(
    every: Windows, visited: Visited, values: VisitedEvidence, noise: VisitedEvidence
) -> Relevance:
    """Return the variance (t, *shape) of the mean of all windows' values, estimated from some.

    Parameters
    ----------
    values : (t, visited), whatever the windows have values of: evidence, or its square.
    noise : (t, visited), variance of each value that comes from the draws.
    """
    if len(visited) == len(every):
        return every.mean(noise) / np.maximum(every.coverage, 1)
    interpolation = Interpolation(every, visited)
    drawn, unvisited = _variances(interpolation, every.subset(visited), every, values, noise)
    width = _width(interpolation, every, visited, values, noise, drawn, unvisited)
    return drawn + width.reshape(-1, *(1,) * len(every.shape)) * unvisited


def neyman_allocation(
    every: Windows, visited: Visited, evidence: VisitedEvidence, groups: Groups
) -> PerWindow:
    """Return how densely to visit windows around each, relative to the mean, (window,).

    Parameters
    ----------
    groups : (visited,), groups of draws that each had.
    """
    # The variance of a map's mean over strata h of N_h windows, n_h of them visited, is a sum of
    # terms N_h² σ_h² / n_h. For Σ n_h fixed and equal costs it is least for n_h ∝ N_h σ_h
    # (Neyman's allocation; Cochran, Sampling Techniques, 1977, 5.5): the density of visits is to be
    # proportional to σ, the standard deviation of what one more visit tells.
    #
    # σ² is the squared deviation from the neighbours: it holds the error of the draws and the
    # unevenness of the evidence, and more visits help against both. Windows that had g groups of
    # draws deviate less than the others; g / min(g) takes their variance back to that of a first
    # visit. Each target counts the same, whatever the size of its evidence, so its σ² is divided
    # by its mean.
    interpolation = Interpolation(every, visited)
    uneven = np.stack([interpolation.squared_deviations(row) for row in evidence])
    uneven = uneven * (groups / groups.min())
    level = uneven.mean(axis=1, keepdims=True)
    share = np.divide(uneven, level, out=np.ones_like(uneven), where=level > 0).mean(axis=0)
    # One squared deviation is a poor estimate of a variance (one degree of freedom): the windows
    # around are averaged. Where none was visited, nothing is known: the mean density.
    count = interpolation.sum_around(np.ones(len(visited)))
    variance = np.where(count > 0, interpolation.sum_around(share) / np.maximum(count, 1), 1.0)
    spread = np.sqrt(variance)
    return np.asarray(np.clip(spread / spread.mean(), _MIN_ALLOCATION, _MAX_ALLOCATION))


def _variances(
    interpolation: Interpolation,
    windows: Windows,
    every: Windows,
    values: VisitedEvidence,
    noise: VisitedEvidence,
) -> tuple[Relevance, Relevance]:
    """Return the map's variance from the draws, and from windows that were not visited."""
    # At a pixel with n visited of N windows, with D² the squared deviations from neighbours and s²
    # the draws' squared errors, means taken over the n windows:
    #
    #     from the draws   mean(s²) / n
    #     from the others  (1 - n / N) · max(0, mean(D²) - mean(s²)) / n
    #
    # D² estimates s² plus how uneven the evidence itself is, so s² is subtracted, or it would count
    # twice. 1 - n / N is the finite-population correction: with all windows visited, nothing is
    # left to interpolate.
    count = np.where(windows.coverage > 0, windows.coverage, np.nan)
    share = windows.coverage / np.maximum(every.coverage, 1)
    drawn = windows.total(noise) / count
    squared = np.stack([interpolation.squared_deviations(row) for row in values])
    uneven = windows.total(squared) / count
    unvisited = (1 - share) * np.maximum(0.0, uneven - drawn)
    return _pooled(drawn, windows.size) / count, _pooled(unvisited, windows.size) / count


def _pooled(values: Relevance, size: tuple[int, ...]) -> Relevance:
    """Return the mean (t, *shape) over all pixels that can share a window with each."""
    # A pixel has few visited windows, and each perhaps two pairs of draws: one degree of freedom.
    # Such variances scatter so much that mean ± 1.96 standard errors would hold the truth far less
    # often than 95 % (Student's t with few degrees of freedom). Two pixels share a window if they
    # are less than k apart, so over 2k - 1 pixels the variance is estimated of the same kind of
    # windows, with several times as many.
    known = np.isfinite(values)
    lengths = (1, *(2 * k - 1 for k in size))
    filled, weights = (
        ndimage.uniform_filter(each, lengths, mode="constant")
        for each in (np.where(known, values, 0.0), known.astype(np.float64))
    )
    filled = np.maximum(filled, 0.0)  # running sums leave a rounding error of either sign
    return np.asarray(np.divide(filled, weights, out=np.full_like(values, np.nan), where=known))


def _width(
    interpolation: Interpolation,
    every: Windows,
    visited: Visited,
    values: VisitedEvidence,
    noise: VisitedEvidence,
    drawn: Relevance,
    unvisited: Relevance,
) -> PerTarget:
    """Return the factor that calibrates the variance from windows that were not visited, (t,).

    Parameters
    ----------
    drawn, unvisited : (t, *shape), variances of the map from all visited windows.
    """
    # `_variances` takes the deviations of neighbouring windows as independent. Windows overlap, so
    # their evidence is smooth, interpolation does better than that, and the variance is too large
    # by a factor that depends on the input and the model. It can be measured: take the map R1 of
    # those windows that were visited first, and see how far the map R of all visited windows is.
    #
    # R1's windows are among R's. For the mean of part of a sample, Cov(R1, R) = Var(R), so
    #
    #     E (R1 - R)² = Var(R1) - Var(R) = (drawn1 - drawn) + width · (unvisited1 - unvisited),
    #
    # averaged over the map and solved for the width, one for each target. As a ratio of two noisy
    # means it is limited to a range, and 1 (no calibration) where the windows are too few.
    #
    # Which came first: windows come by rank, sooner where they are denser. Rank over density is
    # the time at which each came, and an early part of it has everywhere the same share of the
    # windows, at the same relative density.
    time = every.ranks[visited] / interpolation.density[visited]
    first = np.sort(np.argsort(time)[: len(visited) // _CALIBRATION_SHARE])
    if len(first) < _MIN_CALIBRATION_WINDOWS:
        return np.ones(len(values))
    visited1, values1 = visited[first], values[:, first]
    drawn1, unvisited1 = _variances(
        Interpolation(every, visited1), every.subset(visited1), every, values1, noise[:, first]
    )
    apart = relevance(every, visited1, values1) - relevance(every, visited, values)
    found = _mean(apart**2 - (drawn1 - drawn))
    with np.errstate(divide="ignore", invalid="ignore"):
        width = found / _mean(unvisited1 - unvisited)
    return np.where(np.isfinite(width), np.clip(width, _MIN_WIDTH, _MAX_WIDTH), 1.0)


def _mean(values: Relevance) -> PerTarget:
    """Return the mean over the pixels (t, *shape) that have a value; NaN where none has."""
    known = np.isfinite(values)
    axes = tuple(range(1, values.ndim))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=axes) / known.sum(axis=axes))


def relative_error(relevance: Relevance, error: Relevance, covered: Mask) -> float:
    """Return `relative_errors` of the worst target."""
    return float(relative_errors(relevance, error, covered).max())


def relative_errors(relevance: Relevance, error: Relevance, covered: Mask) -> PerTarget:
    """Return the root mean square of the error over that of the relevance, (t,).

    Infinite while a pixel that windows cover has no value, or where the errors are as large as
    the relevance.

    Parameters
    ----------
    relevance, error : (t, *shape).
    covered : (*shape), true where windows are.
    """
    variance = (error[:, covered] ** 2).mean(axis=1)
    # E(r + e)² = r² + Var(e): the mean square of an estimated map is too large by its variance.
    square = np.maximum(0.0, (relevance[:, covered] ** 2).mean(axis=1) - variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt(variance / square)
    return np.asarray(np.where(np.isnan(ratio), np.inf, ratio))
