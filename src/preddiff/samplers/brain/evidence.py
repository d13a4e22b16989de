"""What all of a scan but a box says of the factors, for every box at once.

Given the voxels outside a box, the factors are normal, with

    precision  1 + Σ_outside λ·λᵀ / s,    precision · mean = Σ_outside λ · (x − mean) / s,

λ the loadings of a voxel and s the variance of its noise, times the number of voxels that say the
same (`Noise.repeats`). Both sums are those over all voxels less those over the box.

Axis names: r factor, p pair of factors, v voxel, n window, k weighted sum.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from scipy import linalg

from preddiff.method.windows import Windows
from preddiff.samplers.brain import loops
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
        whole = np.concatenate([self.precision[lower], self.scaled @ values])
        pairs = len(lower[0])
        planes = _Planes(self.mask, np.concatenate([self.scaled, values[None]]))
        order = np.argsort(windows.starts[:, 0], kind="stable")
        ends = np.flatnonzero(np.diff(windows.starts[order, 0])) + 1
        for which in np.split(order, ends):
            start, stop = first[which], last[which]
            planes.move(int(start[0, 0]), int(stop[0, 0]))
            outside = planes.outside(whole, start[:, 1:], stop[:, 1:])
            yield which, outside[:pairs], outside[pairs:]


class _Planes:
    """Sums of products of loadings over some planes of a volume.

    Rows are the pairs of loadings, and then the products of loadings and values.

    Parameters
    ----------
    rows : (r + 1, v), loadings and values.
    """

    def __init__(self, mask: Mask, rows: Annotated[Floats, "_row v"]) -> None:
        self.rows = np.ascontiguousarray(rows)
        # A plane of two axes, also of a mask that has two in all.
        planes = mask.reshape(len(mask), *(1,) * (3 - mask.ndim), *mask.shape[1:])
        self.spatial = planes.shape[1:]
        self.positions = [np.flatnonzero(plane) for plane in planes]
        self.ends = np.cumsum([0, *(len(positions) for positions in self.positions)])
        factors = len(rows) - 1
        self.first = self.last = 0
        self.total: Floats = np.zeros((factors * (factors + 3) // 2, math.prod(self.spatial)))

    def move(self, first: int, last: int) -> None:
        """Take the planes from `first` up to, without, `last`."""
        if first >= self.last or first < self.first:
            self.total[:] = 0
            self.first = self.last = first
        for plane in range(self.last, last):
            self._add(plane, 1.0)
        for plane in range(self.first, first):
            self._add(plane, -1.0)
        self.first, self.last = first, last

    def outside(
        self,
        whole: Annotated[Floats, "row"],
        start: Annotated[Integers, "n across"],
        stop: Annotated[Integers, "n across"],
    ) -> Annotated[Floats, "row n"]:
        """Return what is left of whole sums without those over boxes within these planes."""
        result: Floats = np.empty((len(self.total), len(start)))
        if start.shape[1] == 1:
            start, stop = (np.insert(ends, 0, at, axis=1) for ends, at in ((start, 0), (stop, 1)))
        loops.sums_outside(self.total.reshape(-1, *self.spatial), whole, start, stop, result)
        return result

    def _add(self, plane: int, sign: float) -> None:
        rows = self.rows[:, self.ends[plane] : self.ends[plane + 1]]
        loops.add_products(self.total, rows, self.positions[plane], sign)


def forward_solved(pairs: Pairs, *right: PerFactor) -> list[PerFactor]:
    """Return L⁻¹ · right for each window, L · Lᵀ being its matrix."""
    solved = np.array(right)
    loops.forward_solve(pairs, solved)
    return list(solved)


def posterior(
    precision: Annotated[Floats, "r r"], weighted: Annotated[Floats, "r"]
) -> tuple[Annotated[Floats, "r"], Annotated[Floats, "r r"]]:
    """Return the mean of the factors, and a root of their covariance, root · rootᵀ."""
    # With the precision L · Lᵀ the covariance is L⁻ᵀ · L⁻¹.
    lower = linalg.cholesky(precision, lower=True)
    mean = linalg.cho_solve((lower, True), weighted)
    inverse = linalg.solve_triangular(lower, np.eye(len(lower)), lower=True)
    return mean, np.asarray(inverse.T)
