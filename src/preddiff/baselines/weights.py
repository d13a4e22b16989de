"""Maps from a linear classifier's weights, with which the paper compares (figure 9)."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.types import AnyShape

Scan = Annotated[NDArray[np.floating], "..."]
"""One scan or several, (..., *spatial)."""


def times_input(weights: AnyShape, inputs: Scan) -> AnyShape:
    """Return what each voxel adds to the logit: w · x. It depends on the zero of the scan's scale.

    Parameters
    ----------
    weights, inputs : (..., *spatial).
    """
    return np.asarray(weights * inputs, dtype=np.float64)


def times_deviation(weights: AnyShape, inputs: Scan, mean: Scan) -> AnyShape:
    """Return what each voxel adds beyond the average scan: w · (x - mean).

    It is the change of the logit where the voxel is given its mean, whatever its neighbours say.

    Parameters
    ----------
    weights, inputs, mean : (..., *spatial).
    """
    return times_input(weights, inputs - mean)
