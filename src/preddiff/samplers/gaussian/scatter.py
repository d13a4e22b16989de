"""Scatter: a Student distribution of patches, how likely it makes them, and its next estimate."""

from typing import Annotated, NamedTuple

import numpy as np
from scipy import linalg, optimize, special

from preddiff.samplers.gaussian.axes import PatchCovariance, Patches, PatchMean
from preddiff.types import Floats

_FLOOR = 1e-9  # of the mean variance
_NO_SHARE = 1e-6  # of a patch in a law, which is then not looked at
_AT_ONCE = 4096  # patches whose distances are computed at once
# Flat patches, which pictures are full of, ask for none at all. Below 1 nothing else changes: what
# surrounds a window tells its scale far better.
_FREEDOMS = (1.0, 1000.0)

Each = Annotated[Floats, "n"]
"""A number for each patch."""


class Law(NamedTuple):
    """A Student distribution of patches.

    Attributes
    ----------
    mean, scatter : (p,) and (p, p), of patches flattened in C order.
    freedom : its degrees.
    """

    mean: PatchMean
    scatter: PatchCovariance
    freedom: float


def moments(patches: Patches, counts: Each) -> tuple[PatchMean, PatchCovariance]:
    """Return mean and scatter of patches, of which each counts by a number of its own."""
    counted = np.flatnonzero(counts > _NO_SHARE * counts.max())
    some, share = patches[counted], counts[counted] / counts[counted].sum()
    mean = share @ some
    scaled = (some - mean) * np.sqrt(share)[:, None]
    return mean, _lifted(scaled.T @ scaled)


def pull(square: Each, freedom: float, values: int) -> Each:
    """Return what patches at some squared distances count by in the next estimate."""
    # Each patch counts by what its scale is expected to be, 1/v. Dividing by the sum of these and
    # not by their number leads to the same place in fewer rounds (Kent, Tyler & Vardi, "A curious
    # likelihood identity for the multivariate t-distribution", 1994).
    return (freedom + values) / (freedom + square)


def distances(patches: Patches, mean: PatchMean, scatter: PatchCovariance) -> tuple[Each, float]:
    """Return squared Mahalanobis distances from the mean, and ln √|scatter|."""
    lower = linalg.cholesky(scatter, lower=True)
    square = np.empty(len(patches))
    for first in range(0, len(patches), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        deviations = (patches[part] - mean).T
        white = linalg.solve_triangular(lower, deviations, lower=True, check_finite=False)
        square[part] = np.einsum("pn,pn->n", white, white)
    return square, float(np.log(np.diag(lower)).sum())


def best_freedom(square: Each, shares: Each, values: int) -> float:
    """Return the degrees of freedom of greatest likelihood.

    Parameters
    ----------
    square : squared distances of patches.
    shares : by which each patch counts.
    values : in a patch.
    """
    found = optimize.minimize_scalar(
        lambda log: -(shares @ of_distances(square, values, np.exp(log))),
        bounds=np.log(_FREEDOMS),
        method="bounded",
    )
    return float(np.exp(found.x))


def log_density(patches: Patches, law: Law) -> Each:
    """Return the logarithm of the density of patches."""
    square, log_volume = distances(patches, law.mean, law.scatter)
    return of_distances(square, len(law.mean), law.freedom) - log_volume


def of_distances(square: Each, values: int | Each, freedom: float) -> Each:
    """Return what of the log density depends on distances and degrees of freedom."""
    constant = special.gammaln((freedom + values) / 2) - special.gammaln(freedom / 2)
    volume = values / 2 * np.log(freedom * np.pi)
    return np.asarray(constant - volume - (freedom + values) / 2 * np.log1p(square / freedom))


def _lifted(scatter: PatchCovariance) -> PatchCovariance:
    """Return a scatter with a little added, so that constant inputs have a Cholesky factor too."""
    # A share of the mean variance, as a normal's covariance gets, would be far too much: of
    # pictures, the finest details vary by 1e-5 of it, and they tell the scale.
    level = np.trace(scatter) / len(scatter)
    return np.asarray(scatter + (_FLOOR * level + _FLOOR**2) * np.eye(len(scatter)))
