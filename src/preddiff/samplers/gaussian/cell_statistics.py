"""Cell statistics: a normal of patches for every cell of a grid over the volume.

All are relative to the whole cohort's normal. Axis names: p value in the patch.
"""

# A cell has few patches for so many values: say 20 volumes × 64 positions, of 343 values each. So
# it borrows from the whole cohort, N(μ, L·Lᵀ). In coordinates in which the cohort is white,
#
#     y = L⁻¹·(x - μ),
#
# to draw a cell's covariance C towards a multiple of the identity is to draw it towards the
# cohort's, and `shrinkage` says by which share. What is kept of a cell is its mean m of y (also
# shrunk) and U = K⁻¹, where K·Kᵀ = C is its Cholesky factor. In x that is
#
#     mean μ + L·m,     covariance L·C·Lᵀ,     precision (U·L⁻¹)ᵀ·(U·L⁻¹)
#
# and the precision is what conditioning wants (`conditioning.by_precision`). U is triangular, so
# half a matrix is kept for a cell, and near 1 where the cell is like the cohort: float32 will do,
# in which a covariance in the scan's units would lose its small eigenvalues.

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from preddiff.errors import SamplerError
from preddiff.samplers.gaussian.axes import CellNumbers, PatchCovariance, PatchMean
from preddiff.samplers.gaussian.cell_grid import CellGrid
from preddiff.samplers.gaussian.covariance import relative_to, whitening
from preddiff.samplers.gaussian.patch_statistics import checked_input
from preddiff.samplers.gaussian.patches import flattened, patch_corners
from preddiff.samplers.gaussian.shrinkage import shrinkage
from preddiff.samplers.gaussian.threads import for_each_in_threads
from preddiff.types import Corners, Floats

_LEAST_SHARE = 0.01  # of the cohort's covariance in a cell's: keeps it invertible in float32
_VOLUMES_HELD = 16  # whose patches are multiplied at once: a few long products, not many short
_LEAST_VARIANCE = 1e-9  # relative to the cohort's, where a cell is the same in all volumes

CellMeans = Annotated[Floats, "cell p"]
CellWhitenings = Annotated[Floats, "cell p p"]


def cell_statistics(
    volumes: Iterable[ArrayLike],
    grid: CellGrid,
    wanted: CellNumbers,
    mean: PatchMean,
    covariance: PatchCovariance,
) -> tuple[CellMeans, CellWhitenings]:
    """Return the means (cell, p) of the wanted cells and the whitenings (cell, p, p).

    Both are relative to the cohort's. The volumes are gone through once; memory holds a covariance
    per wanted cell, and a few volumes.

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
    # Both are overwritten at the end by what is returned, as 343² numbers a cell are gigabytes.
    origins, sums = np.zeros((2, len(wanted), size))
    squares = np.zeros((len(wanted), size, size))
    corners = _corners(grid, wanted)

    def add(some: NDArray[np.floating], cell: int) -> None:
        # The first patch is taken off, as in `moments.py`: large values lose no digits, and cells
        # that are the same in all volumes get a variance of exactly 0.
        shape = (len(some), *(grid.patch,) * len(grid.spatial))
        rows = flattened(some, corners[cell], shape).reshape(-1, size)
        if members == 0:
            origins[cell] = rows[0]
        rows -= origins[cell]
        sums[cell] += rows.sum(axis=0)
        squares[cell] += rows.T @ rows

    for some in _batches(volumes, grid):
        # Of several volumes, as if they were one's channels.
        for_each_in_threads(partial(add, some.reshape(-1, *grid.spatial)), range(len(wanted)))
        members += len(some)
    factor = linalg.cholesky(covariance, lower=True)

    def finish(cell: int) -> None:
        count = members * len(corners[cell])
        own = sums[cell] / count
        squares[cell] -= count * np.outer(own, own)
        spread = _shrunk(relative_to(factor, squares[cell]) / (count - 1), count)
        squares[cell] = whitening(spread)
        own += origins[cell] - mean
        # The cohort counts as one more volume: n volumes that agree on a mean outweigh it by n : 1.
        own *= members / (members + 1)
        sums[cell] = linalg.solve_triangular(factor, own, lower=True)

    for_each_in_threads(finish, range(len(wanted)))
    return sums, squares


def _corners(grid: CellGrid, wanted: CellNumbers) -> list[Corners]:
    """Corners of the patches that each wanted cell's statistics are taken of."""
    corners = patch_corners(grid.spatial, grid.patch, None, grid.step)
    cells = grid.numbers(corners)
    order = np.argsort(cells, kind="stable")
    first, last = (np.searchsorted(cells[order], wanted, side) for side in ("left", "right"))
    return [corners[order[a:b]] for a, b in zip(first, last, strict=True)]


def _batches(volumes: Iterable[ArrayLike], grid: CellGrid) -> Iterator[NDArray[np.floating]]:
    """The volumes (volume, channel, *spatial), some at a time."""
    read = (_checked(volume, grid, number) for number, volume in enumerate(volumes))
    while some := list(islice(read, _VOLUMES_HELD)):
        yield np.stack(some)


def _checked(volume: ArrayLike, grid: CellGrid, number: int) -> NDArray[np.floating]:
    """A volume that lies on the grid, or a SamplerError."""
    values = checked_input(volume, grid.patch, number, None)
    if values.shape[1:] != grid.spatial:
        raise SamplerError(
            f"input {number} has shape {values.shape}: expected {grid.spatial} as the first one's "
            "voxels; resample it, or leave it out"
        )
    return values


def _shrunk(covariance: PatchCovariance, count: int) -> PatchCovariance:
    """A cell's covariance drawn towards the cohort's, the more the fewer patches it is of."""
    size = len(covariance)
    share = max(_LEAST_SHARE, shrinkage(covariance, count))
    level = float(np.trace(covariance)) / size
    covariance *= 1 - share
    covariance.flat[:: size + 1] += max(share * level, _LEAST_VARIANCE)
    return covariance
