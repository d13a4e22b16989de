"""Resampling: the values of a volume on another grid."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError
from preddiff.media.grid import Grid, mismatch
from preddiff.types import Mask

Slices = Annotated[NDArray[np.floating], "z y x"]
"""Values of one channel of a volume."""

Step = Annotated[NDArray[np.float64], "4 4"]
"""From a voxel (x, y, z, 1) of one grid to the place in another where it lies."""

_EDGE = 0.5  # voxels: where a voxel ends, counted from its middle
_ROUNDING = 1e-6  # voxels


def onto(
    values: Slices, grid: Grid, target: Grid, *, nearest: bool = False
) -> tuple[Annotated[NDArray[np.float32], "z y x"], float]:
    """Return values on another grid, linearly interpolated, and which share of it they reach.

    A voxel is as large as the step to the next, so values reach half a voxel beyond the middle of
    the outermost ones; beyond that they are 0. Where the two grids differ only in the order or
    direction of their axes, values are moved and nothing is computed.

    Parameters
    ----------
    nearest : take the nearest voxel instead, as masks need it.

    Raises
    ------
    InputError
        If one of the grids does not say which side is left, or they do not overlap.
    """
    if not (grid.knows_sides and target.knows_sides):
        raise InputError(mismatch("a volume", grid, "a grid", target, ""))
    turns = grid.turns_to(target)
    if turns is not None:
        return np.ascontiguousarray(turns.applied(values), dtype=np.float32), 1.0
    # The value at a new voxel v is that of the old array at A_old⁻¹ · A_new · v, both affines to
    # the same world: only the two grids decide, never the order of a file's axes.
    step: Step = np.linalg.inv(grid.affine) @ target.affine
    reached = _reached(step, grid.shape, target.shape)
    if not reached.any():
        raise InputError(
            f"a volume of {grid} and a grid of {target} do not overlap: expected the same part of "
            "the same space; register the scan first"
        )
    return _interpolated(values, step, target.shape, reached, nearest), float(reached.mean())


def _reached(step: Step, shape: tuple[int, ...], target: tuple[int, ...]) -> Mask:
    """The voxels of a target (z, y, x) whose middle lies in a voxel of the old array."""
    indices = [np.arange(n, dtype=np.float64) for n in target[::-1]]
    x, y, z = (index.reshape(lead) for index, lead in zip(indices, _LEADS, strict=True))
    reached = np.ones(target, dtype=bool)
    for row, length in zip(step[:3], shape[::-1], strict=True):
        at = (row[2] * z + row[3]) + row[1] * y + row[0] * x
        reached &= (at >= -_EDGE - _ROUNDING) & (at <= length - 1 + _EDGE + _ROUNDING)
    return reached


_LEADS = ((1, 1, -1), (1, -1, 1), (-1, 1, 1))  # of x, y and z in arrays (z, y, x)


def _interpolated(
    values: Slices, step: Step, target: tuple[int, ...], reached: Mask, nearest: bool
) -> Annotated[NDArray[np.float32], "z y x"]:
    from scipy import ndimage

    # Linear for scans (order 1): a spline would overshoot at the edge of the head. A mask has no
    # values between its voxels (order 0). What lies between a border voxel's middle and its end has
    # the border's value: scipy's own "constant" would make a plane 0 that is off by rounding.
    moved: NDArray[Any] = ndimage.affine_transform(
        values.T, step[:3, :3], step[:3, 3], target[::-1], order=0 if nearest else 1, mode="nearest"
    ).T
    return np.where(reached, moved, 0).astype(np.float32)
