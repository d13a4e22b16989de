"""Compiled loops over windows, against the same by numpy."""

import numpy as np
import pytest

from preddiff.samplers.brain import loops


def test_products_of_pairs_are_added_where_they_belong(rng):
    rows, places = rng.normal(size=(4, 5)), np.array([0, 2, 3, 6, 7])
    total = np.zeros((9, 8))
    loops.add_products(total, rows, places, 1.0)
    pairs = [(a, b) for a in range(4) for b in range(a + 1)][:-1]  # not of values with themselves
    expected = np.zeros((9, 8))
    expected[:, places] = [rows[a] * rows[b] for a, b in pairs]
    np.testing.assert_allclose(total, expected)
    loops.add_products(total, rows, places, -1.0)
    assert (total == 0).all()


def test_what_is_left_without_a_box(rng):
    planes, whole = rng.normal(size=(3, 6, 7)), rng.normal(size=3)
    start = np.array([[0, 0], [2, 3], [5, 0], [1, 1]])
    stop = np.array([[6, 7], [4, 4], [6, 7], [1, 5]])  # everything, a part, a line, nothing
    left = np.empty((3, 4))
    loops.sums_outside(planes, whole, start, stop, left)
    boxes = [
        planes[:, a:c, b:d].sum(axis=(1, 2)) for (a, b), (c, d) in zip(start, stop, strict=True)
    ]
    np.testing.assert_allclose(left, whole[:, None] - np.stack(boxes, axis=1), atol=1e-12)


@pytest.mark.parametrize("windows", [1, 64, 150])
def test_triangles_are_solved(rng, windows):
    roots = rng.normal(size=(windows, 5, 5))
    matrices = roots @ roots.transpose(0, 2, 1) + np.eye(5)
    right = rng.normal(size=(2, 5, windows))
    solved = right.copy()
    loops.forward_solve(matrices[:, *np.tril_indices(5)].T.copy(), solved)
    lower = np.linalg.cholesky(matrices)
    expected = np.linalg.solve(lower, right.transpose(2, 1, 0)).transpose(2, 1, 0)
    np.testing.assert_allclose(solved, expected, atol=1e-10)
