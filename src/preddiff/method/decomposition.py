"""Singular values of any matrix."""

from typing import Annotated

import numpy as np
from scipy import linalg

from preddiff.types import Floats


def singular_values(
    matrix: Annotated[Floats, "_row _column"],
) -> tuple[
    Annotated[Floats, "_row _rank"], Annotated[Floats, "_rank"], Annotated[Floats, "_rank _column"]
]:
    """Return U, s and Vᵀ, whose product is the matrix; the singular values s descend.

    LAPACK's usual algorithm (gesdd) divides and conquers, and in some builds does not converge
    where many singular values are 0 but for rounding, as of regressors that depend on each other.
    The older one (gesvd), which is several times slower, then does.
    """
    try:
        u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        u, s, vt = linalg.svd(matrix, full_matrices=False, lapack_driver="gesvd")
    return u, s, vt
