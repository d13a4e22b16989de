"""Windows: the boxes that are hidden one at a time, in any number of dimensions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

import numpy as np

from preddiff.errors import SettingError
from preddiff.types import Corners, Coverage, Floats, Integers, Mask, WindowNumbers

Subset = Annotated[Integers, "some"]
"""Indices of some of the windows, ascending or not."""
WindowRows = Annotated[Floats, "row window"]
"""One number for each window, in several rows: one for each target, say."""
Corner = Annotated[Integers, "dimension"]
"""The element of a box that has the lowest indices."""
SpatialRows = Annotated[Floats, "row *spatial"]
"""One number for each pixel or voxel, in several rows."""

# Grids that the interlaced order refines one after the other; the coarsest has every 32nd window.
_INTERLACE_LEVELS = 5
# Windows that are sooner marked one by one than counted by box sums of the whole array.
_FEW = 1000


@dataclass(frozen=True, eq=False)
class Windows:
    """Boxes of one size over an array, every one fully inside it (section 3.2).

    Attributes
    ----------
    shape : spatial shape of the array, e.g. (y, x) or (z, y, x).
    size : the box, one length per dimension (the paper's k).
    starts : (window, dimension), the corner of each box that has the lowest indices.
    """

    shape: tuple[int, ...]
    size: tuple[int, ...]
    starts: Corners

    @classmethod
    def over(
        cls, shape: Sequence[int], size: int | Sequence[int], stride: int | Sequence[int] = 1
    ) -> "Windows":
        """Return all windows of `size`, every `stride` pixels, the last dimension fastest.

        Along each axis the last window ends at the border, whatever the stride: one that is no
        longer than the window leaves nothing uncovered.

        Raises
        ------
        SettingError
            If a size or stride is below 1, or a window is larger than the array.
        """
        shape = tuple(int(n) for n in shape)
        sizes = _per_dimension("window", size, len(shape))
        strides = _per_dimension("stride", stride, len(shape))
        if any(k > n for k, n in zip(sizes, shape, strict=True)):
            raise SettingError(
                f"window {_joined(sizes)} does not fit into an input of {_joined(shape)}: "
                f"expected at most {min(shape)}; choose a smaller window or a larger input"
            )
        axes = [
            np.minimum(np.arange(0, n - k + s, s), n - k)
            for n, k, s in zip(shape, sizes, strides, strict=True)
        ]
        starts = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
        return cls(shape, sizes, starts)

    @classmethod
    def of_pixels(cls, mask: Mask) -> "Windows":
        """Return the true elements of a mask as windows of one element each."""
        return cls(mask.shape, (1,) * mask.ndim, np.argwhere(mask))

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.starts)

    def subset(self, which: Subset) -> "Windows":
        """Return some of the windows, given by their indices in `starts`."""
        if np.array_equal(which, np.arange(len(self))):
            return self  # its cached properties are kept
        return replace(self, starts=self.starts[which])

    def touching(self, mask: Mask) -> "Windows":
        """Return the windows that hold at least one true element of `mask`."""
        return self.subset(np.flatnonzero(self.sums(mask.astype(np.float64)[None])[0] > 0.5))

    def tilings(self, stride: int | Sequence[int]) -> list[WindowNumbers]:
        """Return groups of windows, `stride` apart in all, of which none in a group overlap.

        But for the last ones along an axis, which end at the border, and may overlap the one
        before them.
        """
        strides = np.array(_per_dimension("stride", stride, len(self.size)))
        steps = -(-np.array(self.size) // strides)
        offsets = -(-self.starts // strides) % steps
        tiling = np.ravel_multi_index(tuple(offsets.T), steps)
        return [np.flatnonzero(tiling == number) for number in np.unique(tiling)]

    def sums(self, values: SpatialRows) -> WindowRows:
        """Return the sum (row, window) of the values (row, *shape) inside each window."""
        if len(self) == 0:
            return np.zeros((len(values), 0))
        # What lies outside of the box around all windows is in no window: a mask or a few windows
        # at a time would otherwise cost as much as the whole input.
        first, last = self.starts.min(axis=0), self.starts.max(axis=0) + self.size
        box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
        return self._box_sums(values[:, *box], forward=True)[:, *(self.starts - first).T]

    @cached_property
    def interlaced(self) -> WindowNumbers:
        """Indices of the windows in an order that covers the array evenly at every moment.

        As in ordered dithering (Bayer 1973), the windows visited so far form a grid that becomes
        ever finer. Windows that are a multiple of 32 rows and columns apart follow each other.
        """
        # Rows and columns are counted in windows, not pixels: the order is the same for any stride.
        rows = [np.unique(at, return_inverse=True)[1].reshape(-1) for at in self.starts.T]
        # The far border is visited as early as the near one: no window beyond it covers its pixels.
        rows = [np.where(row == row.max(), 0, row) for row in rows]
        # Windows are sorted by a key. Its leading bits come from the lowest bit of row and column,
        # which tells the four windows of a 2×2 cell apart: one corner of every cell comes first.
        # Among those, the next bit does the same for cells of 4×4, and so on; so the first windows
        # of all are those of the coarsest grid. For the order of the four, take for row bit r and
        # column bit c the key (r xor c, c): (0, 0), then the opposite corner (1, 1), which refines
        # the grid evenly, then (1, 0) and (0, 1). In d dimensions each bit is xored with the next.
        key = np.zeros(len(self), dtype=np.int64)
        for level in range(_INTERLACE_LEVELS):
            bits = [(row >> level) & 1 for row in rows]
            for bit, next_bit in zip(bits, [*bits[1:], np.zeros_like(key)], strict=True):
                key = 2 * key + (bit ^ next_bit)
        # The sort is stable, so windows of one key, all at one position of a 32×32 cell, follow
        # each other. They have the same alignment to a network's strides, which engines exploit.
        return np.argsort(key, kind="stable")

    @cached_property
    def ranks(self) -> WindowNumbers:
        """The position of each window in the interlaced order, from 0."""
        ranks = np.empty(len(self), dtype=np.int64)
        ranks[self.interlaced] = np.arange(len(self))
        return ranks

    @cached_property
    def numbers(self) -> WindowNumbers:
        """A number for each window that depends on its corner alone, not on stride or subset.

        It seeds the window's draws: the same window is drawn the same in every analysis.
        """
        return np.asarray(np.ravel_multi_index(tuple(self.starts.T), self.shape), dtype=np.int64)

    @cached_property
    def coverage(self) -> Coverage:
        """Number of windows that cover each element, in an array of `shape`."""
        return np.asarray(self.total(np.ones((1, len(self))))[0], dtype=np.int64)

    @cached_property
    def covered(self) -> Mask:
        """True where a window is, in an array of `shape`."""
        if len(self) > _FEW:
            return np.asarray(self.coverage > 0)
        covered = np.zeros(self.shape, dtype=bool)
        every = np.lib.stride_tricks.sliding_window_view(covered, self.size, writeable=True)
        every[tuple(self.starts.T)] = True
        return covered

    def total(self, values: WindowRows) -> SpatialRows:
        """Return, at every element, the sum of the values of the windows that cover it.

        Parameters
        ----------
        values : (row, window), one value for each window in each row.

        Returns
        -------
        (row, *shape), 0 where no window is.
        """
        # A window covers an element if its corner is one of the k elements up to it, along every
        # axis: put each value at its window's corner, and the totals are box sums of that array.
        # Their cost does not depend on the number of windows, nor much on their size.
        impulses = np.empty((len(values), math.prod(self.shape)))
        for impulse, row in zip(impulses, values, strict=True):
            impulse[:] = np.bincount(self.numbers, row, minlength=len(impulse))
        return self._box_sums(impulses.reshape(len(values), *self.shape))

    def mean(self, values: WindowRows) -> SpatialRows:
        """Return `total` divided by the coverage, Algorithm 1's last line; NaN without windows."""
        return self._over_coverage(self.total(values))

    def error_of_mean(self, errors: WindowRows) -> SpatialRows:
        """Return the standard error of `mean`, given independent standard errors of windows."""
        return self._over_coverage(np.sqrt(self.total(errors**2)))

    def _over_coverage(self, totals: SpatialRows) -> SpatialRows:
        covered = np.where(self.coverage > 0, self.coverage, np.nan)
        return totals / covered

    def _box_sums(self, values: SpatialRows, forward: bool = False) -> SpatialRows:
        """Return the sum over k elements along every axis, k being the window's length there.

        The k elements end at the element of the result; with `forward`, they begin there.
        """
        # A box sum is one sum along each axis after the other. Along an axis, let V_m[i] be the sum
        # of the m values up to i: V_2m[i] = V_m[i] + V_m[i - m], so doubling reaches every power of
        # two, and k is put together from the powers of its binary digits, each shifted by as many
        # values as the result holds by then. That takes log2 k passes instead of k.
        #
        # Differences of one cumulative sum would take a single pass, but cancel: the sum over a
        # whole picture is large beside that of a window, and its rounding error would be left
        # behind in maps, and as evidence where a window changes nothing.
        for axis, k in enumerate(self.size, start=1):
            result = np.zeros_like(values)
            length, done = 1, 0  # m of V_m in `values`, and number of values summed in `result`
            while True:
                if k & length:
                    _add_shifted(result, values, axis, done, forward)
                    done += length
                if done == k:
                    break
                doubled = values.copy()
                _add_shifted(doubled, values, axis, length, forward)
                values, length = doubled, 2 * length
            values = result
        return values


def box(start: Corner | Sequence[int], size: Sequence[int]) -> tuple[slice, ...]:
    """Return a box as an index: its first element is `start` (dimension,)."""
    return tuple(slice(s, s + k) for s, k in zip(start, size, strict=True))


def _add_shifted(
    target: SpatialRows, values: SpatialRows, axis: int, shift: int, forward: bool
) -> None:
    """Add to each element the value `shift` elements before (or, forward, after) it."""
    n = values.shape[axis]
    low, high = _along(axis, slice(0, n - shift)), _along(axis, slice(shift, n))
    source, destination = (high, low) if forward else (low, high)
    target[destination] += values[source]


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (part,)


def _per_dimension(name: str, value: int | Sequence[int], dimensions: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Sequence) else (value,) * dimensions
    if len(values) != dimensions:
        raise SettingError(
            f"{name}={value} has {len(values)} lengths, but the input has {dimensions} "
            f"dimensions: give one number, or {dimensions}"
        )
    for number in values:
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise SettingError(f"{name}={value}: expected whole numbers of at least 1")
    return tuple(int(number) for number in values)


def _joined(lengths: Sequence[int]) -> str:
    return "×".join(str(n) for n in lengths)
