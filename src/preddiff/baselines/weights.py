"""Maps from a linear classifier's weights, with which the paper compares (figure 9)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def times_input(weights: Floats, inputs: NDArray[np.floating]) -> Floats:
    """Return what each voxel adds to the logit: w · x. It depends on the zero of the scan's scale.

    Parameters
    ----------
    weights, inputs : (..., *spatial).
    """
    return np.asarray(weights * inputs, dtype=np.float64)


def times_deviation(
    weights: Floats, inputs: NDArray[np.floating], mean: NDArray[np.floating]
) -> Floats:
    """Return what each voxel adds beyond the average scan: w · (x - mean).

    It is the change of the logit where the voxel is given its mean, whatever its neighbours say.

    Parameters
    ----------
    weights, inputs, mean : (..., *spatial).
    """
    return times_input(weights, inputs - mean)
