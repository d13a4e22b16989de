"""Patch statistics that depend on where in the volume a patch is, cell by cell of a grid.

All is told relative to the whole cohort's normal, N(mean, L·Lᵀ): a patch x is L⁻¹·(x - mean), whose
covariance over the whole cohort is 1, so that to draw a cell's covariance towards a multiple of the
identity is to draw it towards the cohort's. Axis names: p value in the patch.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from scipy.linalg import lapack

from preddiff.errors import SamplerError
from preddiff.samplers.gaussian import fitting
from preddiff.samplers.gaussian.parallel import side_by_side
from preddiff.samplers.gaussian.patches import flattened, places

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ACROSS = 5  # patches that are taken of a cell in each direction, at least where there are as many
_LEAST = 0.01  # share of the cohort's covariance in a cell's: keeps it invertible in float32
_TOGETHER = 16  # volumes whose patches are multiplied at once: a few long products, not many short
_FLATTEST = 1e-9  # variance relative to the cohort's, where a cell is the same in all


@dataclass(frozen=True)
class Grid:
    """Cells of the places that a patch can begin at.

    Attributes
    ----------
    spatial : shape of the volumes.
    patch : length of a patch.
    cells : in each direction, no more than there are places.
    """

    spatial: tuple[int, ...]
    patch: int
    cells: tuple[int, ...]

    @classmethod
    def over(cls, spatial: tuple[int, ...], patch: int, cells: tuple[int, ...]) -> "Grid":
        return cls(
            spatial,
            patch,
            tuple(min(c, n - patch + 1) for c, n in zip(cells, spatial, strict=True)),
        )

    def numbers(self, corners: Integers) -> Integers:
        """The cell of each patch, from where it begins (n, dimension)."""
        cells, begins = np.array(self.cells), np.array(self.spatial) - self.patch + 1
        return np.asarray(np.ravel_multi_index(tuple((corners * cells // begins).T), self.cells))

    @property
    def step(self) -> tuple[int, ...]:
        """From one patch that statistics are taken of to the next."""
        return tuple(
            math.ceil((n - self.patch + 1) / c / _ACROSS)
            for n, c in zip(self.spatial, self.cells, strict=True)
        )

    def touching(self, mask: NDArray[np.bool_] | None) -> Integers:
        """Cells of patches that hold a true voxel of the mask, ascending; all without one."""
        if mask is None:
            return np.arange(math.prod(self.cells))
        view = np.lib.stride_tricks.sliding_window_view(mask, (self.patch,) * mask.ndim)
        held = view.any(axis=tuple(range(mask.ndim, 2 * mask.ndim)))
        return np.unique(self.numbers(np.argwhere(held)))


def statistics(
    volumes: Iterable[ArrayLike], grid: Grid, wanted: Integers, mean: Floats, covariance: Floats
) -> tuple[Floats, Floats]:
    """Means (cell, p) of the wanted cells and the `unit_of` (cell, p, p) their covariances.

    Both are relative to the cohort's.

    Gone through once; memory holds a covariance per wanted cell, and a few volumes.

    Parameters
    ----------
    wanted : numbers of cells, ascending.
    mean, covariance : the cohort's, (p,) and (p, p).

    Raises
    ------
    SamplerError
        If a volume does not lie on the grid.
    """
    size, members = len(mean), 0
    origins, sums = np.zeros((2, len(wanted), size))
    squares = np.zeros((len(wanted), size, size))
    corners = _corners(grid, wanted)

    def add(some: NDArray[np.floating], cell: int) -> None:
        shape = (len(some), *(grid.patch,) * len(grid.spatial))
        rows = flattened(some, corners[cell], shape).reshape(-1, size)
        if members == 0:
            origins[cell] = rows[0]  # near the mean: large values lose no digits, flat cells none
        rows -= origins[cell]
        sums[cell] += rows.sum(axis=0)
        squares[cell] += rows.T @ rows

    for some in _together(volumes, grid):
        # Of several volumes, as if they were one's channels.
        side_by_side(partial(add, some.reshape(-1, *grid.spatial)), range(len(wanted)))
        members += len(some)
    factor = linalg.cholesky(covariance, lower=True)

    def finish(cell: int) -> None:
        count = members * len(corners[cell])
        own = sums[cell] / count
        squares[cell] -= count * np.outer(own, own)
        spread = _shrunk(_relative(squares[cell], factor) / (count - 1), count)
        squares[cell] = unit_of(spread)
        own += origins[cell] - mean
        # The cohort counts as one more volume.
        own *= members / (members + 1)
        sums[cell] = linalg.solve_triangular(factor, own, lower=True)

    side_by_side(finish, range(len(wanted)))
    return sums, squares


def unit_of(covariance: Floats) -> Floats:
    """L⁻¹, where L·Lᵀ is a covariance: what makes it 1."""
    return np.asarray(lapack.dtrtri(linalg.cholesky(covariance, lower=True), lower=1)[0])


def _corners(grid: Grid, wanted: Integers) -> list[Integers]:
    """Of each wanted cell, where the patches begin that its statistics are taken of."""
    corners = places(grid.spatial, grid.patch, None, grid.step)
    cells = grid.numbers(corners)
    order = np.argsort(cells, kind="stable")
    first, last = (np.searchsorted(cells[order], wanted, side) for side in ("left", "right"))
    return [corners[order[a:b]] for a, b in zip(first, last, strict=True)]


def _together(volumes: Iterable[ArrayLike], grid: Grid) -> Iterator[NDArray[np.floating]]:
    """The volumes (volume, channel, *spatial), some at a time."""
    read = (_on(grid, volume, number) for number, volume in enumerate(volumes))
    while some := list(islice(read, _TOGETHER)):
        yield np.stack(some)


def _on(grid: Grid, volume: ArrayLike, number: int) -> NDArray[np.floating]:
    """A volume that lies on the grid, or a SamplerError."""
    values = fitting.checked(volume, grid.patch, number, None)
    if values.shape[1:] != grid.spatial:
        raise SamplerError(
            f"input {number} has shape {values.shape}: expected {grid.spatial} as the first one's "
            "voxels; resample it, or leave it out"
        )
    return values


def _relative(square: Floats, factor: Floats) -> Floats:
    """L⁻¹ · square · L⁻ᵀ of a symmetric matrix, by half the work of two products."""
    lower, _ = lapack.dsygst(square.T, factor, itype=1, lower=1)
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)


def _shrunk(covariance: Floats, count: int) -> Floats:
    """A cell's covariance drawn towards the cohort's, the more the fewer patches it is of."""
    size = len(covariance)
    share = max(_LEAST, fitting.shrinkage(covariance, count))
    level = float(np.trace(covariance)) / size
    covariance *= 1 - share
    covariance.flat[:: size + 1] += max(share * level, _FLATTEST)
    return covariance
