"""Loops over all windows of a scan, compiled: as array operations they would wait for memory.

Sums over boxes are running sums over planes, then over lines, then along a line, so that their cost
does not grow with the box. What a line of windows needs stays in a processor's cache.
"""

from typing import Annotated

import numpy as np

from preddiff.method.compiled import compiled
from preddiff.types import Floats, Integers

_TOGETHER = 32  # windows whose matrices stay in a processor's nearest cache


@compiled
def add_products(
    total: Annotated[Floats, "y pair x"], rows: Annotated[Floats, "plane y r_and_1 x"], sign: float
) -> None:
    """Add the products of all pairs of rows in some planes to their sums.

    Parameters
    ----------
    total : pair a (a + 1) / 2 + b has the products of rows a and b ≤ a; those of the last row with
        itself are left out.
    """
    planes, height, many, width = rows.shape
    for y in range(height):
        for plane in range(planes):
            for a in range(many):
                for b in range(min(a + 1, many - 1)):
                    pair = a * (a + 1) // 2 + b
                    for x in range(width):
                        total[y, pair, x] += sign * rows[plane, y, a, x] * rows[plane, y, b, x]


@compiled
def end_of_line(starts: Annotated[Integers, "n two"], begin: int) -> int:
    """Return where the windows of a line end, of which one is the first."""
    end = begin + 1
    while end < len(starts) and starts[end, 0] == starts[begin, 0]:
        end += 1
    return end


@compiled
def project_lines(
    totals: Annotated[Floats, "margin y pair x"],
    always: Annotated[Floats, "pair"],
    deep: Annotated[Floats, "k y r_and_1 x"],
    starts: Annotated[Integers, "n two"],
    size: Annotated[Integers, "two"],
    margins: Annotated[Integers, "margin two"],
    mean: Annotated[Floats, "k n"],
    covariance: Annotated[Floats, "k k n"],
) -> None:
    """Write mean and covariance of weighted sums over windows of one plane, but for the noise.

    Parameters
    ----------
    totals : sums of products over the planes that the boxes around the windows reach.
    always : such sums that are known of each window, of which those over the first box are taken
        off, while those over the second are added.
    margins : of a box around its window.
    deep : sums of weights times rows over the windows' planes.
    starts : of the windows, in C order.
    """
    sides, height, many, width = deep.shape
    factors, pairs = many - 1, len(always)
    columns = np.zeros((len(margins), pairs, width))  # sums over the lines of a box
    before = np.zeros((len(margins), pairs, width + 1))  # and over all that lies before
    low, high = np.zeros(len(margins), np.int64), np.zeros(len(margins), np.int64)
    lines = np.empty((sides, many, width))
    tile = np.empty((pairs + sides * factors, _TOGETHER))
    begin = 0
    while begin < len(starts):
        y, end = starts[begin, 0], end_of_line(starts, begin)
        for which in range(len(margins)):
            margin = margins[which, 0]
            first, last = max(y - margin, 0), min(y + size[0] + margin, height)
            if first >= high[which]:
                columns[which] = 0
                low[which] = high[which] = first
            add_lines(columns[which], totals[which, high[which] : last], 1.0)
            add_lines(columns[which], totals[which, low[which] : first], -1.0)
            low[which], high[which] = first, last
            for pair in range(pairs):
                for x in range(width):
                    before[which, pair, x + 1] = before[which, pair, x] + columns[which, pair, x]
        lines[:] = 0
        for side in range(sides):
            add_lines(lines[side], deep[side, y : y + size[0]], 1.0)
        for start in range(begin, end, _TOGETHER):
            stop = min(start + _TOGETHER, end)
            along = starts[start:stop, 1]
            for pair in range(pairs):
                for n in range(len(along)):
                    tile[pair, n] = always[pair]
            for which in range(len(margins)):
                sign = -1.0 if which == 0 else 1.0
                add_boxes(tile, before[which], sign, along, size[1], margins[which, 1])
            put_sums(tile[pairs:], lines, along, size[1])
            forward_solve(tile, factors, 1 + sides, len(along))
            put_normals(tile[pairs - factors :], mean[:, start:stop], covariance[:, :, start:stop])
            for side in range(sides):
                for n in range(start, stop):
                    for x in range(starts[n, 1], starts[n, 1] + size[1]):
                        mean[side, n] -= lines[side, factors, x]
        begin = end


@compiled
def add_lines(
    total: Annotated[Floats, "row x"], lines: Annotated[Floats, "line row x"], sign: float
) -> None:
    """Add lines to their sum."""
    for line in range(len(lines)):
        for row in range(total.shape[0]):
            for x in range(total.shape[1]):
                total[row, x] += sign * lines[line, row, x]


@compiled
def add_boxes(
    tile: Annotated[Floats, "row n"],
    before: Annotated[Floats, "pair x_and_1"],
    sign: float,
    along: Annotated[Integers, "n"],
    size: int,
    margin: int,
) -> None:
    """Add sums over boxes around windows that begin at places of a line."""
    width = before.shape[1] - 1
    first, last = np.empty(len(along), np.int64), np.empty(len(along), np.int64)
    for n in range(len(along)):
        first[n], last[n] = max(along[n] - margin, 0), min(along[n] + size + margin, width)
    for pair in range(len(before)):
        for n in range(len(along)):
            tile[pair, n] += sign * (before[pair, last[n]] - before[pair, first[n]])


@compiled
def put_sums(
    tile: Annotated[Floats, "row n"],
    lines: Annotated[Floats, "k r_and_1 x"],
    along: Annotated[Integers, "n"],
    size: int,
) -> None:
    """Put sums over windows, of all rows but the last."""
    sides, many, _ = lines.shape
    for side in range(sides):
        for row in range(many - 1):
            for n in range(len(along)):
                value = 0.0
                for x in range(along[n], along[n] + size):
                    value += lines[side, row, x]
                tile[side * (many - 1) + row, n] = value


@compiled
def forward_solve(tile: Annotated[Floats, "row n"], factors: int, sides: int, windows: int) -> None:
    """Replace right sides by L⁻¹ · right for each window, L · Lᵀ being its matrix.

    Parameters
    ----------
    tile : the lower triangle of each window's matrix, row by row, and then its right sides.
    """
    triangle = factors * (factors + 1) // 2
    scale = np.empty(windows)
    for j in range(factors):
        column = j * (j + 1) // 2 + j
        for n in range(windows):
            scale[n] = 1 / np.sqrt(tile[column, n])
        # A right side is one more row of the triangle.
        for i in range(j + 1, factors + sides):
            first = i * (i + 1) // 2 if i < factors else triangle + (i - factors) * factors
            for n in range(windows):
                tile[first + j, n] *= scale[n]
            for k in range(j + 1, min(i + 1, factors)):
                other = k * (k + 1) // 2 + j
                for n in range(windows):
                    tile[first + k, n] -= tile[first + j, n] * tile[other, n]


@compiled
def put_normals(
    solved: Annotated[Floats, "row n"],
    mean: Annotated[Floats, "k n"],
    covariance: Annotated[Floats, "k k n"],
) -> None:
    """Put what factors do to sums: their mean, from the first right side, and covariance."""
    sides, windows = mean.shape
    factors = len(solved) // (1 + sides)
    mean[:] = 0
    covariance[:] = 0
    for row in range(factors):
        for side in range(sides):
            one = (1 + side) * factors + row
            for n in range(windows):
                mean[side, n] += solved[one, n] * solved[row, n]
            for other in range(sides):
                another = (1 + other) * factors + row
                for n in range(windows):
                    covariance[side, other, n] += solved[one, n] * solved[another, n]


@compiled
def add_noise(
    smooth: Annotated[Floats, "k a y x"],
    squares: Annotated[Floats, "k k y x"],
    starts: Annotated[Integers, "n two"],
    down: Annotated[Floats, "size_y b"],
    along: Annotated[Floats, "size_x c"],
    covariance: Annotated[Floats, "k k n"],
) -> None:
    """Add the covariance of weighted sums of noise over windows of one plane.

    Parameters
    ----------
    smooth : weights times the root of the correlations, along the first axis.
    squares : products of weights, summed over the windows' planes, of noise that is not correlated.
    down, along : roots of the correlations along the other axes.
    """
    sides, depth, _, width = smooth.shape
    positions = width - len(along) + 1
    line = np.empty((sides, width))
    source = np.empty((sides, positions))
    found = np.empty((sides, sides, positions))
    begin = 0
    while begin < len(starts):
        y, end = starts[begin, 0], end_of_line(starts, begin)
        found[:] = 0
        for a in range(depth):
            for b in range(down.shape[1]):
                line[:] = 0
                for side in range(sides):
                    for e in range(len(down)):
                        for x in range(width):
                            line[side, x] += down[e, b] * smooth[side, a, y + e, x]
                for c in range(along.shape[1]):
                    source[:] = 0
                    for side in range(sides):
                        for f in range(len(along)):
                            for x in range(positions):
                                source[side, x] += along[f, c] * line[side, x + f]
                    for side in range(sides):
                        for other in range(sides):
                            for x in range(positions):
                                found[side, other, x] += source[side, x] * source[other, x]
        for side in range(sides):
            for other in range(sides):
                for e in range(len(down)):
                    for f in range(len(along)):
                        for x in range(positions):
                            found[side, other, x] += squares[side, other, y + e, x + f]
                for n in range(begin, end):
                    covariance[side, other, n] += found[side, other, starts[n, 1]]
        begin = end
