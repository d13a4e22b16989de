"""The patches that are hidden in the order of a map: grids of several sizes, and superpixels.

A map made of patches suits a metric that has the same ones. Others say whether its rank is its own.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from preddiff.media.labels import superpixels
from preddiff.studies.evaluation.maps import Regions, grid_regions
from preddiff.types import Pixels

Patches = Callable[[Pixels], Regions]
"""Returns the regions of a picture (channel, y, x)."""

_SUPERPIXELS = 150  # about as many pixels in each as in a patch of 18 pixels of 224


def patches_along(picture: Pixels, count: int) -> Regions:
    """Return `count` × `count` patches."""
    return grid_regions(picture.shape[1:], count)


def patches_of(picture: Pixels, size: int, *, shifted: bool = False) -> Regions:
    """Return square patches of about `size` pixels, or the same moved by half of it."""
    shape = picture.shape[1:]
    count = max(round(min(shape) / size), 1)
    return grid_regions(shape, count, shift=size // 2 if shifted else 0)


def superpixels_of(picture: Pixels) -> Regions:
    """Return about 150 superpixels by SLIC."""
    labels = superpixels(picture, _SUPERPIXELS)
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


PATCHES: dict[str, Patches] = {
    "": partial(patches_along, count=14),
    "8px": partial(patches_of, size=8),
    "20px": partial(patches_of, size=20),
    "16px-shifted": partial(patches_of, size=16, shifted=True),
    "slic": superpixels_of,
}
"""Patches by the name that metrics have after a second colon; 14 × 14 without one."""
