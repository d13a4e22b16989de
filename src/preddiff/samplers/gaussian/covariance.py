"""Covariance matrices: checked, inverted and factored, singular ones too."""

from typing import Annotated

import numpy as np
from scipy import linalg

from preddiff.errors import SamplerError
from preddiff.samplers.gaussian.axes import PatchCovariance, PatchMean
from preddiff.types import Floats

Square = Annotated[Floats, "m m"]
"""A symmetric or triangular matrix."""

Columns = Annotated[Floats, "m *columns"]
"""A vector of that length, or several."""

_LEAST_RECIPROCAL_CONDITION = 1e-10  # about; no inverse is taken of a covariance below


def check_normal(mean: PatchMean, covariance: PatchCovariance, shape: tuple[int, ...]) -> None:
    """Raise a SamplerError unless these are mean and covariance of patches of `shape`."""
    size = int(np.prod(shape))
    if mean.shape != (size,) or covariance.shape != (size, size):
        raise SamplerError(
            f"mean of shape {mean.shape} and covariance of shape {covariance.shape}: expected "
            f"({size},) and ({size}, {size}) for patches of shape {shape}"
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise SamplerError("mean or covariance has values that are NaN or infinite; fit it anew")
    # Semi-definite is enough: rounding may have made eigenvalues of 0 a little negative.
    tolerance = 1e-8 * np.abs(covariance).max() + np.finfo(np.float64).tiny
    if not np.allclose(covariance, covariance.T, rtol=0, atol=tolerance):
        raise SamplerError("the covariance is not symmetric: expected cov[i, j] == cov[j, i]")
    try:
        linalg.cholesky(covariance + tolerance * np.eye(size))
    except linalg.LinAlgError:
        raise SamplerError(
            "the covariance has negative eigenvalues: expected a positive semi-definite matrix; "
            "fit it with ConditionalGaussian.fit"
        ) from None


def precision(covariance: PatchCovariance) -> PatchCovariance | None:
    """Return the inverse of a covariance; None where it is too near to a singular one."""
    try:
        factor = linalg.cho_factor(covariance, lower=True)
    except linalg.LinAlgError:
        return None
    # The squares of the factor's diagonal are the variances of each value given those before it.
    # Where one of them is next to nothing, the inverse would be mostly rounding errors.
    scale = np.diag(factor[0])
    if (scale.min() / scale.max()) ** 2 < _LEAST_RECIPROCAL_CONDITION:
        return None
    return np.asarray(linalg.cho_solve(factor, np.eye(len(covariance))))


def solve(covariance: Square, right: Columns) -> Columns:
    """Return covariance⁻¹ · right; by the pseudo-inverse where it is singular."""
    try:
        return np.asarray(linalg.cho_solve(linalg.cho_factor(covariance), right))
    except linalg.LinAlgError:
        return np.asarray(linalg.pinvh(covariance) @ right)


def square_root(covariance: Square) -> Square:
    """Return a factor F with F · Fᵀ = covariance, so that F times white noise has it.

    Lower triangular, or made of the eigenvectors where the covariance is singular.
    """
    try:
        # numpy's and not scipy's: it takes less time before it starts, which counts for many
        # small matrices.
        return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(covariance)
        return np.asarray(vectors * np.sqrt(np.clip(values, 0, None)))


def whitening(covariance: Square) -> Square:
    """Return L⁻¹, where L · Lᵀ is a covariance: what is multiplied by it has covariance 1."""
    lower = linalg.cholesky(covariance, lower=True)
    return np.asarray(linalg.lapack.dtrtri(lower, lower=1)[0])


def relative_to(factor: Square, matrix: Square) -> Square:
    """Return L⁻¹ · matrix · L⁻ᵀ of a symmetric matrix, where L is the lower triangular `factor`."""
    # LAPACK's dsygst reduces a generalised eigenproblem and does just this, using symmetry: half
    # the work of two triangular solutions. It fills the lower triangle only.
    lower, _ = linalg.lapack.dsygst(matrix.T, factor, itype=1, lower=1)
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)
