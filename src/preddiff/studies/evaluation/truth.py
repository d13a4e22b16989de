"""Scores of maps where it is known which pixels matter (Clark, Wilming & Haufe 2024).

A map is scored by its magnitude: which pixels it points to, not what they speak for. Both scores
are between 0 and 1, and the more, the better.
"""

from typing import Annotated

import numpy as np
from scipy import optimize, sparse

from preddiff.studies.evaluation.maps import PictureMap, grid_regions
from preddiff.types import Floats, Integers, Mask

Masses = Annotated[Floats, "place"]
"""Parts of a whole, at places of a grid; they sum to 1."""

_BLOCKS = 8  # places along each side between which masses are moved


def precision(values: PictureMap, truth: Mask) -> float:
    """Return the share of the truth among the n pixels of largest magnitude, n its own size.

    Pixels that a map says nothing of, 0, are not counted as found. Of pixels that tie for the last
    rank, the share that a random choice among them has on average counts.
    """
    size, true = np.abs(values).ravel(), truth.ravel()
    count = int(true.sum())
    least = np.sort(size)[-count]
    first = size > least
    found = float(true[first].sum())
    if least > 0:
        found += (count - int(first.sum())) * float(true[size == least].mean())
    return found / count


def earth_movers_score(values: PictureMap, truth: Mask) -> float:
    """Return 1 - d / d_max for the earth mover's distance d of a map to the truth.

    The magnitude of the map and the truth are divided by their sums, and d is the least mean
    distance by which the one has to be moved to become the other; d_max is the picture's diagonal.
    Both are summed over 8×8 blocks before: pixels, in a picture of that size. NaN for a map of 0.
    """
    magnitude = np.abs(values)
    if not magnitude.sum() > 0:
        return float("nan")
    distance = _distance(_blocks(magnitude), _blocks(truth.astype(np.float64)))
    return 1 - distance / float(np.hypot(_BLOCKS - 1, _BLOCKS - 1))


def _blocks(values: PictureMap) -> Masses:
    """Return the share of each block."""
    blocks = grid_regions(values.shape, _BLOCKS).ravel()
    sums = np.bincount(blocks, values.ravel(), minlength=_BLOCKS**2)
    return np.asarray(sums / sums.sum())


def _distance(first: Masses, second: Masses) -> float:
    """Return the earth mover's distance, in blocks: a transport problem, by linear programming."""
    start, end = np.flatnonzero(first), np.flatnonzero(second)
    costs = _apart(start, end)
    # Unknown is how much goes from each start (rows) to each end (columns).
    leave = sparse.kron(sparse.eye(len(start)), np.ones((1, len(end))))
    arrive = sparse.kron(np.ones((1, len(start))), sparse.eye(len(end)))
    # What leaves and what arrives sum to 1: the last equation says nothing new, and with rounding
    # it could contradict the others.
    moved = optimize.linprog(
        costs.ravel(),
        A_eq=sparse.vstack([leave, arrive]).tocsr()[:-1],
        b_eq=np.concatenate([first[start], second[end]])[:-1],
        method="highs",
    )
    return float(moved.fun)


def _apart(start: Integers, end: Integers) -> Annotated[Floats, "start end"]:
    """Return the distances between blocks."""
    coordinates = [np.stack(np.divmod(each, _BLOCKS)) for each in (start, end)]
    return np.asarray(np.hypot(*(coordinates[0][:, :, None] - coordinates[1][:, None])))
