"""Where patches are in an input, their values, and where values are in a flattened patch."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.samplers.gaussian.axes import Patches, PatchIndices
from preddiff.types import Corners, Mask

_MAX_SPLITS_HELD = 256  # of `split_indices`: more than a volume's 125 offsets, a few MB at most


def patch_corners(
    spatial: Sequence[int], patch: int, mask: Mask | None, step: Sequence[int]
) -> Corners:
    """Return the corners (n, dimension) of the patches that are centred in a mask, `step` apart."""
    corners = np.zeros(tuple(n - patch + 1 for n in spatial), dtype=bool)
    corners[tuple(slice(None, None, s) for s in step)] = True
    if mask is not None:
        corners &= mask[tuple(slice(patch // 2, patch // 2 + n) for n in corners.shape)]
    return np.argwhere(corners)


def along_axes(patch: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """Return the length of a patch along each axis, of one for all or one for each."""
    return (patch,) * axes if isinstance(patch, int) else tuple(patch)


def times(patch: int | Sequence[int]) -> str:
    """Return the length of a patch as text; of several, such as 5×7×7."""
    return str(patch) if isinstance(patch, int) else "×".join(map(str, patch))


def flattened(
    inputs: Annotated[NDArray[np.floating], "channel *spatial"],
    corners: Corners,
    shape: tuple[int, ...],
) -> Patches:
    """Return the patches (n, p) of `shape` (channel, *patch) whose corners are given."""
    spatial = tuple(range(1, inputs.ndim))
    view = np.lib.stride_tricks.sliding_window_view(inputs, shape[1:], axis=spatial)
    patches = np.moveaxis(view, 0, len(spatial))[tuple(corners.T)]
    return np.asarray(patches.reshape(len(corners), -1), dtype=np.float64)


def box_indices(
    shape: tuple[int, ...], offset: tuple[int, ...], size: tuple[int, ...]
) -> PatchIndices:
    """Return where the values of a box stand in a flattened patch of `shape` (channel, *patch)."""
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    box = tuple(slice(o, o + k) for o, k in zip(offset, size, strict=True))
    return numbers[(slice(None), *box)].reshape(-1)


@lru_cache(maxsize=_MAX_SPLITS_HELD)
def split_indices(
    shape: tuple[int, ...], offset: tuple[int, ...], size: tuple[int, ...]
) -> tuple[PatchIndices, PatchIndices]:
    """Return where the values of a box stand in a flattened patch, and all others.

    Kept, because a located sampler asks for the same few offsets in each of its cells.
    """
    inside = box_indices(shape, offset, size)
    return inside, np.setdiff1d(np.arange(int(np.prod(shape))), inside)
