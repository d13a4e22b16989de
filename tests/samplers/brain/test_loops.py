"""Compiled loops over windows, against the same by numpy."""

import numpy as np
import pytest

from preddiff.samplers.brain import loops


def test_products_of_pairs_are_added_to_each_line(rng):
    rows = rng.normal(size=(2, 3, 4, 5))
    total = np.zeros((3, 9, 5))
    loops.add_products(total, rows, 1.0)
    pairs = [(a, b) for a in range(4) for b in range(a + 1)][:-1]  # not of values with themselves
    for pair, (a, b) in enumerate(pairs):
        np.testing.assert_allclose(total[:, pair], (rows[:, :, a] * rows[:, :, b]).sum(axis=0))
    loops.add_products(total, rows, -1.0)
    np.testing.assert_allclose(total, 0, atol=1e-14)


@pytest.mark.parametrize("windows", [1, 7])
def test_triangles_are_solved(rng, windows):
    roots = rng.normal(size=(windows, 5, 5))
    matrices = roots @ roots.transpose(0, 2, 1) + np.eye(5)
    right = rng.normal(size=(2, 5, windows))
    tile = np.concatenate([matrices[:, *np.tril_indices(5)].T, right.reshape(10, windows)])
    loops.forward_solve(tile, 5, 2, windows)
    lower = np.linalg.cholesky(matrices)
    expected = np.linalg.solve(lower, right.transpose(2, 1, 0)).transpose(2, 1, 0)
    np.testing.assert_allclose(tile[15:].reshape(2, 5, windows), expected, atol=1e-10)
