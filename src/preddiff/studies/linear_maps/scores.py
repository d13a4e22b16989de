"""Scores of a map against a known truth: how well it finds it, and how scattered it is."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from preddiff.types import Floats

VoxelMap = Annotated[Floats, "voxel"]
"""Values of a map at the voxels of a mask."""

VoxelTruth = Annotated[NDArray[np.bool_], "voxel"]
"""True at the voxels that truly differ."""


def precision_recall_area(values: VoxelMap, truth: VoxelTruth) -> float:
    """Return the area under the precision–recall curve of |values| as a detector of the truth.

    1 is a perfect map; a map of noise gets the share of voxels that are true.
    """
    from sklearn.metrics import average_precision_score

    # Not the area under the ROC curve: fewer than 1 % of the voxels are true, so a map that marks
    # ten false voxels for each true one still has a false-positive rate of a few per cent and a ROC
    # area close to 1. Precision counts those false voxels against the true ones.
    #
    # Average precision is Σ (recall_n − recall_{n−1}) · precision_n over all thresholds. It adds up
    # steps; interpolating the curve linearly instead would be too optimistic (Davis & Goadrich,
    # ICML 2006).
    return float(average_precision_score(truth, np.abs(values)))


def right_sign(values: VoxelMap, truth: VoxelTruth, sign: int) -> float:
    """Return the share of the true voxels whose value has a sign, +1 or -1."""
    return float((np.sign(values[truth]) == sign).mean())


def components(values: Annotated[Floats, "z y x"], number: int) -> int:
    """Return how many connected pieces the voxels with the largest |values| form.

    Parameters
    ----------
    values : (z, y, x); NaN where there is no value, which is never among the largest.
    number : how many of the largest voxels to take. Voxels connect where they share a face.
    """
    # As many voxels are taken as are true, whatever the map's scale, so that maps of different
    # units and distributions are compared at the same size.
    size = np.nan_to_num(np.abs(values), nan=-1).ravel()
    largest = np.zeros(size.size, dtype=bool)
    largest[np.argpartition(-size, number - 1)[:number]] = True
    return int(ndimage.label(largest.reshape(values.shape))[1])


def share_above(values: VoxelMap, share: float) -> float:
    """Return the share of the voxels whose |value| is above a share of the largest |value|."""
    size = np.abs(values)
    return float((size > share * size.max()).mean())
