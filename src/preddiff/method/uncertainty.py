"""The map of all windows from some of them, and how far it may be off.

Axis names: t target, w window.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from preddiff.method.interpolation import Interpolation
from preddiff.method.windows import Windows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FIRST = 4  # one in so many of the visited windows is held against all of them
_FEWEST = 64  # windows from which on that says something
_NARROW, _WIDE = 0.1, 4.0  # the least and the most that it is believed to say
_EASY, _HARD = 0.25, 4.0  # density of the visited windows, relative to the mean


def relevance(every: Windows, visited: Integers, evidence: Floats) -> Floats:
    """Mean evidence (t, *shape) of the windows that cover a place; NaN where none was visited.

    What was not visited is interpolated between the visited windows around: their plain mean
    would lie off-centre, by up to half the distance between them.

    Parameters
    ----------
    visited : numbers of the windows that were visited, ascending.
    evidence : (t, visited).
    """
    if len(visited) == len(every):
        return every.mean(evidence)
    interpolation = Interpolation(every, visited)
    filled = np.stack([interpolation.between(row) for row in evidence])
    filled[:, visited] = evidence
    covered = every.subset(visited).coverage > 0
    return np.where(covered, every.mean(filled), np.nan)


def standard_error(
    every: Windows, visited: Integers, evidence: Floats, error: Floats, bias: Floats | float = 0.0
) -> Floats:
    """Standard error (t, *shape) of `relevance`.

    It holds the draws' errors, and, for the share of a place's windows that was not visited, how
    uneven the evidence is: how much further than by the draws' errors a window is from what lies
    between its neighbours (as for systematic samples: Cochran, Sampling Techniques, 1977, 8.12),
    in the measure that the map of the windows visited first turned out to be off.

    Parameters
    ----------
    error : (t, visited), standard error of `evidence` from the draws.
    bias : (t, visited), what was taken off the evidence as its bias. Half of it counts as an error
        that does not average out: where it is large, a second order is not the whole of it.
    """
    windows = every.subset(visited)
    systematic = windows.mean(np.broadcast_to(bias, evidence.shape)) / 2
    if len(visited) == len(every):
        return np.hypot(windows.error_of_mean(error), systematic)
    interpolation = Interpolation(every, visited)
    draws, unseen = _variances(interpolation, windows, every, evidence, error)
    width = _width(interpolation, every, visited, evidence, error, draws, unseen)
    width = width.reshape(-1, *(1,) * len(every.shape))
    return np.sqrt(draws + width * unseen + systematic**2)


def neyman_allocation(
    every: Windows, visited: Integers, evidence: Floats, groups: Integers
) -> Floats:
    """How many draws windows around each are worth, relative to the mean, (window,).

    In proportion to how far windows are from what lies between their neighbours, by their own draws
    or because the evidence is uneven: so the map's mean variance is the least for the same work
    (Neyman's allocation: Cochran, Sampling Techniques, 1977, 5.5).

    Parameters
    ----------
    groups : (visited,), of draws that each had: those with more are nearer to what they would be.
    """
    interpolation = Interpolation(every, visited)
    uneven = np.stack([interpolation.unevenness(row) for row in evidence]) * (groups / groups.min())
    level = uneven.mean(axis=1, keepdims=True)
    share = np.divide(uneven, level, out=np.ones_like(uneven), where=level > 0).mean(axis=0)
    count = interpolation.around(np.ones(len(visited)))
    spread = np.sqrt(np.where(count > 0, interpolation.around(share) / np.maximum(count, 1), 1.0))
    return np.asarray(np.clip(spread / spread.mean(), _EASY, _HARD))


def _variances(
    interpolation: Interpolation, windows: Windows, every: Windows, evidence: Floats, error: Floats
) -> tuple[Floats, Floats]:
    """Of the map (t, *shape): from the draws, and from windows that were not visited."""
    count = np.where(windows.coverage > 0, windows.coverage, np.nan)
    share = windows.coverage / np.maximum(every.coverage, 1)
    draws = windows.total(error**2) / count
    uneven = windows.total(np.stack([interpolation.unevenness(row) for row in evidence])) / count
    unseen = (1 - share) * np.maximum(0.0, uneven - draws)
    return _pooled(draws, windows.size) / count, _pooled(unseen, windows.size) / count


def _pooled(values: Floats, size: tuple[int, ...]) -> Floats:
    """Mean (t, *shape) over what shares a window with a place.

    A place has few windows of its own, and they few draws: their variance alone is too uncertain
    for ± 1.96 standard errors to hold 95 % of what may be.
    """
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
    visited: Integers,
    evidence: Floats,
    error: Floats,
    draws: Floats,
    unseen: Floats,
) -> Floats:
    """What to multiply the variance from windows that were not visited with, (t,).

    That variance is too large where the evidence is smooth, as windows overlap. By how much is seen
    from the windows that were visited first: their map and that of all differ by the draws, and by
    what the first had not seen.

    Parameters
    ----------
    draws, unseen : (t, *shape), of the map of all that were visited.
    """
    turn = every.ranks[visited] / interpolation.density[visited]
    first = np.sort(np.argsort(turn)[: len(visited) // _FIRST])
    if len(first) < _FEWEST:
        return np.ones(len(evidence))
    then, found_then = visited[first], evidence[:, first]
    draws_then, unseen_then = _variances(
        Interpolation(every, then), every.subset(then), every, found_then, error[:, first]
    )
    apart = relevance(every, then, found_then) - relevance(every, visited, evidence)
    found = _mean(apart**2 - (draws_then - draws))
    with np.errstate(divide="ignore", invalid="ignore"):
        width = found / _mean(unseen_then - unseen)
    return np.where(np.isfinite(width), np.clip(width, _NARROW, _WIDE), 1.0)


def _mean(values: Floats) -> Floats:
    """Over the places (t, *shape) that have a value; NaN where none has."""
    known = np.isfinite(values)
    axes = tuple(range(1, values.ndim))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=axes) / known.sum(axis=axes))


def relative_error(relevance: Floats, error: Floats, covered: NDArray[np.bool_]) -> float:
    """Root mean square of the error over that of the relevance, for the worst target.

    Infinite while a place that windows cover has no value.

    Parameters
    ----------
    relevance, error : (t, *shape).
    covered : (*shape), where windows are.
    """
    variance = (error[:, covered] ** 2).mean(axis=1)
    # The square of what was found holds the variance of its error, too.
    square = np.maximum(0.0, (relevance[:, covered] ** 2).mean(axis=1) - variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt(variance / square)
    return float(np.max(np.where(np.isnan(ratio), np.inf, ratio)))
