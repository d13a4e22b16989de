"""Maps over a picture, and the aliases of arrays that this room hands around."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import ResultError
from preddiff.types import Floats, Integers, Pixels

PictureMap = Annotated[Floats, "y x"]
"""One number for each pixel: how much it speaks for the target, or how much it matters."""

Regions = Annotated[Integers, "y x"]
"""The region that each pixel belongs to, numbered from 0 without gaps."""

HiddenPixels = Annotated[NDArray[np.bool_], "n y x"]
"""True at the pixels that are hidden, for several variants of one picture."""


def grid_regions(shape: tuple[int, ...], grid: int, shift: int = 0) -> Regions:
    """Return a grid of `grid` × `grid` patches over a picture as regions.

    Parameters
    ----------
    shape : (y, x) of the picture; where it is no multiple of `grid`, patches differ by a pixel.
    shift : pixels by which the grid is moved down and to the right; the patches that leave the
        picture come in again at the other side.
    """
    rows, columns = ((np.arange(n) - shift) % n * grid // n for n in shape)
    return np.asarray(rows[:, None] * grid + columns[None], dtype=np.int64)


def region_means(values: PictureMap, regions: Regions) -> Floats:
    """Return the mean of a map in each region, (region,)."""
    flat = regions.ravel()
    return np.asarray(np.bincount(flat, values.ravel()) / np.bincount(flat))


def positive_share(values: PictureMap, part: tuple[slice, slice]) -> float:
    """Return the share of a map's positive part in a part of it; NaN where nothing is positive."""
    positive = np.maximum(values, 0)
    total = positive.sum()
    return float(positive[part].sum() / total) if total > 0 else float("nan")


def check_map(values: PictureMap, picture: Pixels) -> None:
    """Raise a ResultError unless a contender's map is one."""
    if values.shape != picture.shape[1:] or not np.isfinite(values).all():
        raise ResultError(
            f"a map of shape {values.shape}: expected finite numbers (y, x), {picture.shape[1:]}"
        )
