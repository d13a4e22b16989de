"""How well a map finds a region that is known, and how scattered it is."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Values = NDArray[np.floating]
Mask = NDArray[np.bool_]


def precision_recall_area(values: Values, truth: Mask) -> float:
    """Area under the precision-recall curve of |values| for voxels of the truth (1: perfect).

    A map of noise gets the share of voxels that are true.

    Parameters
    ----------
    values, truth : (voxel,).
    """
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, np.abs(values)))


def right_sign(values: Values, truth: Mask, sign: int) -> float:
    """Share of the true voxels whose value has a sign."""
    return float((np.sign(values[truth]) == sign).mean())


def components(values: Values, number: int) -> int:
    """Connected pieces that the voxels of largest |value| fall into; faces connect.

    Parameters
    ----------
    values : (z, y, x); NaN is nothing.
    number : of voxels.
    """
    size = np.nan_to_num(np.abs(values), nan=-1).ravel()
    top = np.zeros(values.size, dtype=bool)
    top[np.argpartition(-size, number - 1)[:number]] = True
    return int(ndimage.label(top.reshape(values.shape))[1])


def above(values: Values, share: float) -> float:
    """Share of voxels whose |value| is above a share of the largest."""
    size = np.abs(values)
    return float((size > share * size.max()).mean())
