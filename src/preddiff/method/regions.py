"""Regions: parts of an array of any shape, none of which overlap."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from preddiff.errors import SettingError
from preddiff.method.windows import SpatialRows, Subset, WindowRows, Windows
from preddiff.types import Corners, Labels, Mask, WindowNumbers


@dataclass(frozen=True, eq=False)
class Regions(Windows):
    """Regions, as windows that have no common shape.

    Attributes
    ----------
    shape : spatial shape of the array.
    size : 1 along each axis, as there is no size that all have.
    starts : (region, dimension), the corner of the box around each region.
    labels : (*spatial), the region of each element; 0 of none.
    """

    labels: Labels

    @classmethod
    def of(cls, labels: Labels) -> "Regions":
        """Return the regions of an array of labels, in the order of their numbers.

        Raises
        ------
        SettingError
            If there are none.
        """
        index = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
        boxes = ndimage.find_objects(index + int(labels.min() > 0))
        if not boxes:
            raise SettingError("regions: all labels are 0: expected 1, 2, … where regions are")
        starts = np.array([[each.start for each in box] for box in boxes], dtype=np.int64)
        return cls(labels.shape, (1,) * labels.ndim, starts, labels)

    @cached_property
    def numbers(self) -> WindowNumbers:
        """The number of each region among the labels."""
        found = np.unique(self.labels)
        return np.asarray(found[found != 0], dtype=np.int64)

    @cached_property
    def ends(self) -> Corners:
        """One behind the last element of each region along each axis, (region, dimension)."""
        found = ndimage.find_objects(np.where(self.covered, self._index + 1, 0))
        return np.array([[each.stop for each in box] for box in found], dtype=np.int64)

    def subset(self, which: Subset) -> "Regions":
        """Return some of the regions, given by their positions in `numbers`."""
        if np.array_equal(which, np.arange(len(self))):
            return self
        chosen = np.isin(self.labels, self.numbers[which])
        ordered = np.sort(which)
        return Regions(
            self.shape, self.size, self.starts[ordered], np.where(chosen, self.labels, 0)
        )

    @property
    def sha256(self) -> str:
        """Fingerprint of the labels, with their shape."""
        digest = hashlib.sha256(str(self.labels.shape).encode())
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        return digest.hexdigest()

    def tilings(self, stride: int | Sequence[int]) -> list[WindowNumbers]:  # noqa: ARG002
        """Return all regions in one group, as none overlap."""
        return [np.arange(len(self))]

    def sums(self, values: SpatialRows) -> WindowRows:
        """Return the sum (row, region) of the values (row, *shape) inside each region."""
        rows = [np.bincount(self._index.ravel(), row.ravel(), len(self) + 1) for row in values]
        return np.array(rows, dtype=np.float64)[:, :-1]

    @cached_property
    def covered(self) -> Mask:
        """True where a region is."""
        return self._index < len(self)

    def total(self, values: WindowRows) -> SpatialRows:
        """Return, at every element, the value (row, region) of its region; 0 where none is."""
        nothing = np.zeros((len(values), 1))
        return np.concatenate([values, nothing], axis=1)[:, self._index]

    @cached_property
    def _index(self) -> Labels:
        """The position of each element's region among all; their number where none is."""
        index = np.searchsorted(self.numbers, self.labels)
        return np.where(self.labels == 0, len(self), index)


def boxes(shape: Sequence[int], counts: Sequence[int]) -> Labels:
    """Return labels of a grid of boxes that fill an array, numbered from 1, the last axis fastest.

    Parameters
    ----------
    shape : of the array.
    counts : boxes along each axis.

    Raises
    ------
    SettingError
        If there are more boxes than elements along an axis, or not one count for each axis.
    """
    name = "×".join(map(str, counts))
    if len(counts) != len(shape):
        raise SettingError(
            f"regions={name}: boxes along {len(counts)} axes, the input has {len(shape)}: expected "
            "one number for each"
        )
    if any(not 1 <= count <= n for count, n in zip(counts, shape, strict=True)):
        raise SettingError(
            f"regions={name}: expected 1 to {'×'.join(map(str, shape))} boxes, the input's lengths"
        )
    numbers = [np.arange(n) * count // n for n, count in zip(shape, counts, strict=True)]
    grid = np.meshgrid(*numbers, indexing="ij")
    return np.asarray(np.ravel_multi_index(tuple(grid), tuple(counts)) + 1, dtype=np.int64)
