"""Loops over all windows of a scan, compiled: as array operations they would wait for memory."""

from typing import Annotated

import numpy as np

from preddiff.method.compiled import compiled
from preddiff.types import Floats, Integers

_TOGETHER = 64  # windows whose matrices stay in a processor's cache


@compiled
def add_products(
    total: Annotated[Floats, "row place"],
    rows: Annotated[Floats, "r_and_1 some"],
    positions: Annotated[Integers, "some"],
    sign: float,
) -> None:
    """Add the products of all pairs of rows to their sums, the last row's with itself left out.

    Parameters
    ----------
    total : row a (a + 1) / 2 + b has the products of rows a and b ≤ a.
    positions : where the values of `rows` belong.
    """
    last = len(rows) - 1
    for a in range(len(rows)):
        for b in range(min(a + 1, last)):
            row = a * (a + 1) // 2 + b
            for n in range(len(positions)):
                total[row, positions[n]] += sign * rows[a, n] * rows[b, n]


@compiled
def sums_outside(
    planes: Annotated[Floats, "row y x"],
    whole: Annotated[Floats, "row"],
    start: Annotated[Integers, "n two"],
    stop: Annotated[Integers, "n two"],
    sums: Annotated[Floats, "row n"],
) -> None:
    """Write what is left of each row's sum over everything without that over a box."""
    height, width = planes.shape[1:]
    before = np.zeros((height + 1, width + 1))  # sums over all that lies before a corner
    for row in range(len(planes)):
        for y in range(height):
            line = 0.0
            for x in range(width):
                line += planes[row, y, x]
                before[y + 1, x + 1] = before[y, x + 1] + line
        for n in range(len(start)):
            top, bottom, left, right = start[n, 0], stop[n, 0], start[n, 1], stop[n, 1]
            sums[row, n] = whole[row] - (
                before[bottom, right] - before[top, right]
                - before[bottom, left] + before[top, left]
            )  # fmt: skip


@compiled
def forward_solve(pairs: Annotated[Floats, "p n"], solved: Annotated[Floats, "k r n"]) -> None:
    """Replace right sides by L⁻¹ · right for each window, L · Lᵀ being its matrix.

    Parameters
    ----------
    pairs : lower triangles of the matrices, row by row.
    solved : k right sides of each window.
    """
    sides, factors, windows = solved.shape
    scale = np.empty(_TOGETHER)
    matrix = np.empty((len(pairs), _TOGETHER))
    for begin in range(0, windows, _TOGETHER):
        size = min(_TOGETHER, windows - begin)
        matrix[:, :size] = pairs[:, begin : begin + size]
        right = solved[:, :, begin : begin + size]
        for j in range(factors):
            column = j * (j + 1) // 2 + j
            for w in range(size):
                scale[w] = 1 / np.sqrt(matrix[column, w])
            for side in range(sides):
                for w in range(size):
                    right[side, j, w] *= scale[w]
            for i in range(j + 1, factors):
                first = i * (i + 1) // 2
                for w in range(size):
                    matrix[first + j, w] *= scale[w]
                for k in range(j + 1, i + 1):
                    other = k * (k + 1) // 2 + j
                    for w in range(size):
                        matrix[first + k, w] -= matrix[first + j, w] * matrix[other, w]
                for side in range(sides):
                    for w in range(size):
                        right[side, i, w] -= matrix[first + j, w] * right[side, j, w]
