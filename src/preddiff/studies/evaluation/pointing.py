"""Grid pointing: which part of a mosaic a map marks (Böhle, Fritz & Schiele 2021).

Four pictures of different classes, of each of which the network is sure, are reduced to half their
size and put together. Asked for the class of one, a map that tells classes apart lies in its cell:
the score is the share of the map's positive part there, 1 for a perfect map and 1/4 for a flat one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from preddiff.studies.evaluation.maps import PictureMap, positive_share
from preddiff.types import Pixels

SURE = 0.99
"""Probability from which on a network counts as sure."""

CELLS = 4
"""Pictures in a mosaic, two by two."""


@dataclass(frozen=True, eq=False)
class AskedPicture:
    """A picture that a network is asked about.

    Attributes
    ----------
    name : of its file.
    picture : (channel, y, x).
    target : the class that the network says.
    """

    name: str
    picture: Pixels
    target: int


def companions(name: str, sure: Sequence[AskedPicture]) -> list[AskedPicture]:
    """Return a sure picture of this name and the three after it whose classes differ.

    The list is read as a ring. It is empty where the picture is not among them, or where there are
    too few classes.
    """
    names = [each.name for each in sure]
    if name not in names:
        return []
    first = names.index(name)
    chosen: dict[int, AskedPicture] = {}
    for each in (*sure[first:], *sure[:first]):
        chosen.setdefault(each.target, each)
    return list(chosen.values())[:CELLS] if len(chosen) >= CELLS else []


def mosaic(pictures: Sequence[Pixels], cell: int) -> Pixels:
    """Return the first picture in a cell of a mosaic, the others around it.

    Parameters
    ----------
    pictures : four of one shape (channel, y, x), which the mosaic has, too.
    cell : 0 and 1 above, 2 and 3 below.
    """
    result = np.empty_like(pictures[0])
    shape = result.shape[1:]
    order = [cell, *(other for other in range(CELLS) if other != cell)]
    for each, where in zip(pictures, order, strict=True):
        rows, columns = _cell(shape, where)
        size = rows.stop - rows.start, columns.stop - columns.start
        result[:, rows, columns] = _reduced(each, size)
    return result


def share_in_cell(values: PictureMap, cell: int) -> float:
    """Return the share of a map's positive part in a cell; NaN where nothing is positive."""
    return positive_share(values, _cell(values.shape, cell))


def _cell(shape: tuple[int, ...], cell: int) -> tuple[slice, slice]:
    halves = [(slice(0, n // 2), slice(n // 2, n)) for n in shape]
    return halves[0][cell // 2], halves[1][cell % 2]


def _reduced(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """Return a picture at another size; what is finer than the new pixels is blurred first."""
    factors = [n / m for n, m in zip(size, picture.shape[1:], strict=True)]
    smooth = ndimage.gaussian_filter(picture, (0, *((1 / f - 1) / 2 for f in factors)))
    zoomed = ndimage.zoom(smooth, (1, *factors), order=1, grid_mode=True, mode="nearest")
    return np.asarray(zoomed.clip(0, 1), dtype=np.float32)
