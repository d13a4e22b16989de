"""Shrinkage: a covariance drawn towards a multiple of the identity, as it is of too few samples."""

import numpy as np

from preddiff.samplers.gaussian.axes import PatchCovariance

_FLOOR = 1e-9  # of the mean variance, added so that constant inputs have a Cholesky factor too
_ABSOLUTE_FLOOR = 1e-12  # for inputs without any variance


def shrink(covariance: PatchCovariance, patches: int) -> tuple[PatchCovariance, float]:
    """Return a covariance drawn towards a multiple of the identity, and by which share.

    A little more is added so that the result has a Cholesky factor even where inputs are constant.
    """
    size, share = len(covariance), shrinkage(covariance, patches)
    level = np.trace(covariance) / size
    floor = _FLOOR * level + _ABSOLUTE_FLOOR
    return (1 - share) * covariance + (share * level + floor) * np.eye(size), share


def shrinkage(covariance: PatchCovariance, patches: float) -> float:
    """Return the share by which to draw a covariance towards a multiple of the identity.

    The oracle-approximating shrinkage of Chen, Wiesel, Eldar & Hero (IEEE TSP 58, 2010, eq. 23),
    whose formula needs only the covariance and the number of samples.
    """
    # The sample covariance S of n samples spreads its eigenvalues: the largest come out too large,
    # the smallest too small, and below n = p some are 0. (1 - ρ)·S + ρ·tr(S)/p·1 pulls them back to
    # their mean. The ρ of least expected squared (Frobenius) error depends on the true covariance;
    # putting the estimate in its place, again and again, has this limit in closed form:
    #
    #     ρ = ((1 - 2/p)·tr(S²) + tr(S)²) / ((n + 1 - 2/p)·(tr(S²) - tr(S)²/p)),    at most 1
    #
    # It falls as 1/n; where S is a multiple of 1 already, the denominator is 0 and ρ is 1. Samples
    # are taken as independent and normal. Patches that overlap are not, so ρ is on the low side.
    size = len(covariance)
    trace, square = np.trace(covariance), np.sum(covariance**2)
    above = (1 - 2 / size) * square + trace**2
    below = (patches + 1 - 2 / size) * (square - trace**2 / size)
    return 1.0 if below <= 0 else float(min(1.0, above / below))
