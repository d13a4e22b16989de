"""Windows: the boxes that are hidden one at a time, in any number of dimensions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SettingError

_LEVELS = 5  # of lattices; the coarsest takes every 32nd place


@dataclass(frozen=True, eq=False)
class Windows:
    """Boxes of one size over an array, every one fully inside it (section 3.2).

    Attributes
    ----------
    shape : spatial shape of the array, e.g. (y, x) or (z, y, x).
    size : the box, one length per dimension (the paper's k).
    starts : int array (window, dimension), the corner of each box with the lowest indices.
    """

    shape: tuple[int, ...]
    size: tuple[int, ...]
    starts: NDArray[np.int64]

    @classmethod
    def over(
        cls, shape: Sequence[int], size: int | Sequence[int], stride: int | Sequence[int] = 1
    ) -> "Windows":
        """All windows of `size` at every `stride`-th place, the last dimension fastest.

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
                f"window {_times(sizes)} does not fit into an input of {_times(shape)}: "
                f"expected at most {min(shape)}; choose a smaller window or a larger input"
            )
        axes = [np.arange(0, n - k + 1, s) for n, k, s in zip(shape, sizes, strides, strict=True)]
        starts = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
        return cls(shape, sizes, starts)

    def __len__(self) -> int:
        return len(self.starts)

    def subset(self, which: NDArray[np.int64]) -> "Windows":
        """Only the windows whose numbers in `starts` are given."""
        if np.array_equal(which, np.arange(len(self))):
            return self  # with what it has computed already
        return replace(self, starts=self.starts[which])

    def touching(self, mask: NDArray[np.bool_]) -> "Windows":
        """Only the windows that hold at least one true element of `mask`."""
        return self.subset(np.flatnonzero(self.sums(mask.astype(np.float64)[None])[0] > 0.5))

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum (row, window) of the values (row, *shape) inside each window."""
        if len(self) == 0:
            return np.zeros((len(values), 0))
        # Nothing outside of the box that holds all windows counts.
        first, last = self.starts.min(axis=0), self.starts.max(axis=0) + self.size
        box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
        return self._spread(values[:, *box], over_starts=True)[:, *(self.starts - first).T]

    @cached_property
    def interlaced(self) -> NDArray[np.int64]:
        """The windows in an order that covers the array evenly at every moment.

        Ever finer lattices, as in ordered dithering: of every 2×2×... neighbours opposite ones
        come first. Windows that are a multiple of 32 places apart in every direction follow each
        other.
        """
        places = [np.unique(at, return_inverse=True)[1].reshape(-1) for at in self.starts.T]
        # The far border is visited as early as the near one: nothing else covers the outermost.
        places = [np.where(place == place.max(), 0, place) for place in places]
        key = np.zeros(len(self), dtype=np.int64)
        for level in range(_LEVELS):
            bits = [(place >> level) & 1 for place in places]
            for bit, other in zip(bits, [*bits[1:], np.zeros_like(key)], strict=True):
                key = 2 * key + (bit ^ other)
        return np.argsort(key, kind="stable")

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """When each window comes in that order, from 0."""
        ranks = np.empty(len(self), dtype=np.int64)
        ranks[self.interlaced] = np.arange(len(self))
        return ranks

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """A number per window that depends on its place alone, not on stride or subset."""
        return np.asarray(np.ravel_multi_index(tuple(self.starts.T), self.shape), dtype=np.int64)

    @cached_property
    def coverage(self) -> NDArray[np.int64]:
        """How many windows cover each element; array of `shape`."""
        return np.asarray(self.total(np.ones((1, len(self))))[0], dtype=np.int64)

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum, at every element, of the values of the windows that cover it.

        Parameters
        ----------
        values : float64 array (row, window), one value per window in each row.

        Returns
        -------
        float64 array (row, *shape), 0 where no window is.
        """
        impulses = np.empty((len(values), math.prod(self.shape)))
        for impulse, row in zip(impulses, values, strict=True):
            impulse[:] = np.bincount(self.numbers, row, minlength=len(impulse))
        return self._spread(impulses.reshape(len(values), *self.shape))

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """`total` divided by the coverage: Algorithm 1's last line. NaN where no window is."""
        return self._over_coverage(self.total(values))

    def error_of_mean(self, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard error of `mean`, from independent standard errors per window."""
        return self._over_coverage(np.sqrt(self.total(errors**2)))

    def _over_coverage(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        covered = np.where(self.coverage > 0, self.coverage, np.nan)
        return totals / covered

    def _spread(
        self, values: NDArray[np.float64], over_starts: bool = False
    ) -> NDArray[np.float64]:
        """Box filter: sum over the k places before (or, `over_starts`, after) each element.

        Shifted copies are added up, axis by axis, sums of 1, 2, 4, ... places at a time: unlike
        differences of a cumulative sum, that loses no digits.
        """
        for axis, k in enumerate(self.size, start=1):
            result = np.zeros_like(values)
            length, done = 1, 0  # of what `values` sums by now, and of what `result` does
            while True:
                if k & length:
                    _add_shifted(result, values, axis, done, over_starts)
                    done += length
                if done == k:
                    break
                longer = values.copy()
                _add_shifted(longer, values, axis, length, over_starts)
                values, length = longer, 2 * length
            values = result
        return values


def _add_shifted(
    target: NDArray[np.float64],
    values: NDArray[np.float64],
    axis: int,
    shift: int,
    backwards: bool,
) -> None:
    """Add values that stand `shift` places before (or, backwards, after) each element."""
    n = values.shape[axis]
    near, far = _along(axis, slice(0, n - shift)), _along(axis, slice(shift, n))
    source, destination = (far, near) if backwards else (near, far)
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


def _times(lengths: Sequence[int]) -> str:
    return "×".join(str(n) for n in lengths)
