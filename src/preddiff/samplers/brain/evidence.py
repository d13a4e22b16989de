"""What all of a scan but a box says of the factors, for every box at once.

Given the voxels outside a box, the factors are normal, with

    precision  1 + Σ_outside λ·λᵀ / s,    precision · mean = Σ_outside λ · (x − mean) / s,

λ the loadings of a voxel and s the variance of its noise, times the number of voxels that say the
same (`Noise.repeats`). Both sums are those over all voxels less those over the box.

Axis names: r factor, p pair of factors, v voxel, n window, k weighted sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from preddiff.method.windows import Windows
from preddiff.samplers.brain.axes import Loadings, PerVoxel
from preddiff.types import Corners, Floats, Integers, Mask, WindowNumbers

Pairs = Annotated[Floats, "p n"]
"""Lower triangles of matrices (r, r), row by row."""

VoxelNumbers = Annotated[Integers, "_some"]
"""Numbers of some voxels of a mask."""

PerFactor = Annotated[Floats, "r n"]
"""A vector of factors for each window."""


Law = tuple[Annotated[Floats, "r r"], Annotated[Floats, "r"]]
"""Of a normal over the factors: its precision, and precision · mean."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Loadings on a grid, and how far a box reaches beyond its window.

    Attributes
    ----------
    mask : (*spatial), true at the voxels of the loadings.
    scaled : (r, v), loadings over the standard deviation that counts noise once.
    guard : voxels along each axis that are left out around a window.
    """

    mask: Mask
    scaled: Loadings
    guard: tuple[int, ...]

    @cached_property
    def precision(self) -> Annotated[Floats, "r r"]:
        """Precision of the factors given a whole scan."""
        return np.asarray(np.eye(len(self.scaled)) + self.scaled @ self.scaled.T)

    @cached_property
    def numbers(self) -> Annotated[Integers, "*spatial"]:
        """Number of each voxel of the mask, and -1 elsewhere."""
        numbers = np.full(self.mask.shape, -1)
        numbers[self.mask] = np.arange(self.scaled.shape[1])
        return numbers

    def without(
        self, left_out: VoxelNumbers, values: PerVoxel, weighted: Annotated[Floats, "r"]
    ) -> Law:
        """Return precision, and precision · mean, given all voxels but those left out.

        Parameters
        ----------
        values : (v,), of a scan less the mean, over the same deviation as the loadings.
        weighted : (r,), scaled · values.
        """
        box = self.scaled[:, left_out]
        return self.precision - box @ box.T, weighted - box @ values[left_out]

    def boxes(self, windows: Windows) -> tuple[Corners, Corners]:
        """Return where the boxes around windows begin and end (window, dimension)."""
        guard, size = np.array(self.guard), np.array(windows.size)
        first = np.maximum(windows.starts - guard, 0)
        return first, np.minimum(windows.starts + size + guard, np.array(windows.shape))

    def in_planes(
        self, values: PerVoxel, windows: Windows
    ) -> Iterator[tuple[WindowNumbers, Pairs, PerFactor]]:
        """Yield precisions, and precisions · means, of the windows that begin in one plane.

        Yields
        ------
        indices of the windows, (p, n), (r, n).
        """
        # A running sum over the planes that the boxes of one plane of windows reach, and cumulative
        # sums within it: each voxel's products are made twice, whatever the size of a box, and
        # memory holds a plane. What cancels is as large as the sums over a plane's neighbours,
        # 1e-16 of which is left behind.
        first, last = self.boxes(windows)
        lower = np.tril_indices(len(self.scaled))
        whole = self.precision[lower]
        mean = self.scaled @ values
        planes = _Planes(self.mask, np.concatenate([self.scaled, values[None]]))
        order = np.argsort(windows.starts[:, 0], kind="stable")
        ends = np.flatnonzero(np.diff(windows.starts[order, 0])) + 1
        for which in np.split(order, ends):
            start, stop = first[which], last[which]
            planes.move(int(start[0, 0]), int(stop[0, 0]))
            inside = planes.sums(start[:, 1:], stop[:, 1:])
            pairs = len(whole)
            yield which, whole[:, None] - inside[:pairs], mean[:, None] - inside[pairs:]


class _Planes:
    """Sums of products of loadings over some planes of a volume.

    Rows are the pairs of loadings, and then the products of loadings and values.

    Parameters
    ----------
    rows : (r + 1, v), loadings and values.
    """

    def __init__(self, mask: Mask, rows: Annotated[Floats, "_row v"]) -> None:
        self.mask, self.rows = mask, rows
        counts = mask.reshape(len(mask), -1).sum(axis=1)
        self.ends = np.concatenate([[0], np.cumsum(counts)])
        factors = len(rows) - 1
        self.spatial = mask.shape[1:]
        self.first = self.last = 0
        self.total: Floats = np.zeros((factors * (factors + 3) // 2, *self.spatial))

    def move(self, first: int, last: int) -> None:
        """Take the planes from `first` up to, without, `last`."""
        if first >= self.last or first < self.first:
            self.total[:] = 0
            self.first = self.last = first
        for plane in range(self.last, last):
            self._add(plane, 1)
        for plane in range(self.first, first):
            self._add(plane, -1)
        self.first, self.last = first, last

    def sums(
        self, start: Annotated[Integers, "n across"], stop: Annotated[Integers, "n across"]
    ) -> Annotated[Floats, "row n"]:
        """Return the sums over boxes within these planes."""
        # One row after the other, so that a plane of it stays in the processor's cache.
        plane: Floats = np.zeros(tuple(n + 1 for n in self.spatial))
        inner = plane[tuple(slice(1, None) for _ in self.spatial)]
        # Inclusion and exclusion over the corners of a box.
        corners = [
            (
                (-1) ** (len(corner) - sum(corner)),
                np.ravel_multi_index(tuple(np.where(corner, stop, start).T), plane.shape),
            )
            for corner in np.ndindex(*(2,) * len(self.spatial))
        ]
        result = np.zeros((len(self.total), len(start)))
        for row, values in zip(result, self.total, strict=True):
            inner[:] = values
            for axis in range(inner.ndim):
                np.cumsum(inner, axis=axis, out=inner)
            for sign, index in corners:
                row += sign * plane.take(index)
        return result

    def _add(self, plane: int, sign: int) -> None:
        inside = self.mask[plane]
        if not inside.any():
            return
        rows: NDArray[np.float64] = np.zeros((len(self.rows), *self.spatial))
        rows[:, inside] = self.rows[:, self.ends[plane] : self.ends[plane + 1]]
        signed = sign * rows
        begin = 0
        for number in range(len(rows)):
            # The row of values comes last, and is not multiplied by itself.
            count = min(number + 1, len(rows) - 1)
            self.total[begin : begin + count] += signed[number] * rows[:count]
            begin += count


def forward_solved(pairs: Pairs, *right: PerFactor) -> list[PerFactor]:
    """Return L⁻¹ · right for each window, L · Lᵀ being its matrix.

    All windows go through one Cholesky decomposition together, which for small matrices is several
    times as fast as one after the other.
    """
    factors = len(right[0])
    begins = [i * (i + 1) // 2 for i in range(factors + 1)]
    rows = [pairs[begins[i] : begins[i + 1]].copy() for i in range(factors)]
    solved = [each.copy() for each in right]
    for j in range(factors):
        scale = 1 / np.sqrt(rows[j][j])
        for each in solved:
            each[j] *= scale
        for i in range(j + 1, factors):
            rows[i][j] *= scale
        for i in range(j + 1, factors):
            column = rows[i][j]
            for k in range(j + 1, i + 1):
                rows[i][k] -= column * rows[k][j]
            for each in solved:
                each[i] -= column * each[j]
    return solved


def posterior(
    precision: Annotated[Floats, "r r"], weighted: Annotated[Floats, "r"]
) -> tuple[Annotated[Floats, "r"], Annotated[Floats, "r r"]]:
    """Return the mean of the factors, and a root of their covariance, root · rootᵀ."""
    # With the precision L · Lᵀ the covariance is L⁻ᵀ · L⁻¹.
    lower = linalg.cholesky(precision, lower=True)
    mean = linalg.cho_solve((lower, True), weighted)
    inverse = linalg.solve_triangular(lower, np.eye(len(lower)), lower=True)
    return mean, np.asarray(inverse.T)
