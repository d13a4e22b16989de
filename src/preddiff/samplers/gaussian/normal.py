"""The multivariate normal of a patch, and what it says of a window given the rest.

Axis names: n window, w value in the window, r value in the rest of the patch.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from preddiff.errors import SamplerError

Array = NDArray[np.float64]

_SINGULAR = 1e-10  # smallest over largest conditional variance, below which no inverse is taken


@dataclass(frozen=True, eq=False)
class Conditional:
    """The normal of a window's values given the rest of its patch, for one place in the patch.

    Attributes
    ----------
    window, rest : where the values stand in the flattened patch.
    mean_window, mean_rest : their means.
    gain : (w, r), how the mean of the window follows the rest.
    covariance : (w, w), the same whatever the rest is.
    factor : (w, w), factor · factorᵀ = covariance.
    """

    window: NDArray[np.int64]
    rest: NDArray[np.int64]
    mean_window: Array
    mean_rest: Array
    gain: Array
    covariance: Array
    factor: Array

    def mean(self, patches: Array) -> Array:
        """Conditional mean (n, w), given whole patches (n, w + r)."""
        return self.mean_window + (patches[:, self.rest] - self.mean_rest) @ self.gain.T

    @property
    def change(self) -> tuple[Array, Array]:
        """Matrix (w, w + r) and constant (w,): conditional mean - window = matrix · patch + it."""
        matrix = np.zeros((len(self.window), len(self.window) + len(self.rest)))
        matrix[:, self.rest] = self.gain
        matrix[np.arange(len(self.window)), self.window] = -1
        return matrix, self.mean_window - self.gain @ self.mean_rest


def condition(
    mean: Array, covariance: Array, window: NDArray[np.int64], rest: NDArray[np.int64]
) -> Conditional:
    """The normal N(mean, covariance) of the values at `window`, given those at `rest`."""
    across = covariance[np.ix_(rest, window)]
    gain = _solve(covariance[np.ix_(rest, rest)], across).T
    remaining = covariance[np.ix_(window, window)] - gain @ across
    remaining = (remaining + remaining.T) / 2
    return Conditional(
        window, rest, mean[window], mean[rest], gain, remaining, _square_root(remaining)
    )


def by_precision(
    mean: Array, rows: Array, window: NDArray[np.int64], rest: NDArray[np.int64]
) -> Conditional:
    """The same from the rows of the inverse covariance that belong to the window.

    Parameters
    ----------
    rows : (w, w + r).
    """
    own = np.linalg.inv(rows[:, window])
    own = (own + own.T) / 2
    gain = -own @ rows[:, rest]
    return Conditional(window, rest, mean[window], mean[rest], gain, own, _square_root(own))


def precision(covariance: Array) -> Array | None:
    """Inverse of a covariance; None where it is too near to a singular one."""
    try:
        factor = linalg.cho_factor(covariance, lower=True)
    except linalg.LinAlgError:
        return None
    scale = np.diag(factor[0])
    if (scale.min() / scale.max()) ** 2 < _SINGULAR:
        return None
    return np.asarray(linalg.cho_solve(factor, np.eye(len(covariance))))


def places(
    shape: tuple[int, ...], corner: tuple[int, ...], size: tuple[int, ...]
) -> NDArray[np.int64]:
    """Where the values of a box stand in a flattened patch of `shape` (channel, *patch)."""
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    box = tuple(slice(o, o + k) for o, k in zip(corner, size, strict=True))
    return numbers[(slice(None), *box)].reshape(-1)


@cache
def split(
    shape: tuple[int, ...], corner: tuple[int, ...], size: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the values of a box stand in a flattened patch, and all others."""
    inside = places(shape, corner, size)
    return inside, np.setdiff1d(np.arange(int(np.prod(shape))), inside)


def check(mean: Array, covariance: Array, shape: tuple[int, ...]) -> None:
    """Raise a SamplerError unless these are mean and covariance of patches of `shape`."""
    size = int(np.prod(shape))
    if mean.shape != (size,) or covariance.shape != (size, size):
        raise SamplerError(
            f"mean of shape {mean.shape} and covariance of shape {covariance.shape}: expected "
            f"({size},) and ({size}, {size}) for patches of shape {shape}"
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise SamplerError("mean or covariance has values that are NaN or infinite; fit it anew")
    slack = 1e-8 * np.abs(covariance).max() + np.finfo(np.float64).tiny
    if not np.allclose(covariance, covariance.T, rtol=0, atol=slack):
        raise SamplerError("the covariance is not symmetric: expected cov[i, j] == cov[j, i]")
    try:
        linalg.cholesky(covariance + slack * np.eye(size))
    except linalg.LinAlgError:
        raise SamplerError(
            "the covariance has negative eigenvalues: expected a positive semi-definite matrix; "
            "fit it with ConditionalGaussian.fit"
        ) from None


def _solve(matrix: Array, right: Array) -> Array:
    """matrix⁻¹ · right for a covariance; by the pseudo-inverse where it is singular."""
    try:
        return np.asarray(linalg.cho_solve(linalg.cho_factor(matrix), right))
    except linalg.LinAlgError:
        return np.asarray(linalg.pinvh(matrix) @ right)


def _square_root(covariance: Array) -> Array:
    """A factor of a covariance: lower triangular, or of its eigenvectors where it is singular."""
    try:
        # With less ado than scipy's, for many small ones.
        return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(covariance)
        return np.asarray(vectors * np.sqrt(np.clip(values, 0, None)))
