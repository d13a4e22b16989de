"""Where patches are in an input, and their values."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def places(
    spatial: Sequence[int], patch: int, mask: NDArray[np.bool_] | None, step: Sequence[int]
) -> Integers:
    """Corners (n, dimension) of the patches that are centred in a mask, some steps apart."""
    corners = np.zeros(tuple(n - patch + 1 for n in spatial), dtype=bool)
    corners[tuple(slice(None, None, s) for s in step)] = True
    if mask is not None:
        corners &= mask[tuple(slice(patch // 2, patch // 2 + n) for n in corners.shape)]
    return np.argwhere(corners)


def flattened(
    inputs: NDArray[np.floating], corners: Integers, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Patches (n, channel · patch) of `shape` (channel, *patch), whose corners are given."""
    spatial = tuple(range(1, inputs.ndim))
    view = np.lib.stride_tricks.sliding_window_view(inputs, shape[1:], axis=spatial)
    patches = np.moveaxis(view, 0, len(spatial))[tuple(corners.T)]
    return np.asarray(patches.reshape(len(corners), -1), dtype=np.float64)
