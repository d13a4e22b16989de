"""Scores against the truth, where they are known in closed form."""

import math

import numpy as np
import pytest

from preddiff.studies.evaluation.truth import earth_movers_score, precision

DIAGONAL = math.hypot(7, 7)


def at(*pixels, side=8):
    mask = np.zeros((side, side))
    for y, x in pixels:
        mask[y, x] = 1
    return mask


TRUTH = at((1, 1), (2, 1), (2, 2), (3, 1)).astype(bool)


def test_magnitude_counts_and_scale_does_not(rng):
    values = np.where(TRUTH, rng.uniform(1, 2, (8, 8)), rng.uniform(0, 1, (8, 8)))
    signs = rng.choice([-1, 1], (8, 8))
    assert precision(values, TRUTH) == precision(1e-6 * values * signs, TRUTH) == 1
    assert precision(1 / values, TRUTH) == 0
    swapped = earth_movers_score(-3 * values, TRUTH)
    assert swapped == pytest.approx(earth_movers_score(values, TRUTH))


def test_half_of_the_truth_is_a_half():
    assert precision(at((1, 1), (2, 1), (7, 7), (0, 7)), TRUTH) == 0.5


def test_ties_count_by_their_average():
    flat = np.ones((8, 8))
    assert precision(flat, TRUTH) == pytest.approx(4 / 64)
    flat[1, 1] = 2
    assert precision(flat, TRUTH) == pytest.approx((1 + 3 * 3 / 63) / 4)


def test_pixels_of_which_a_map_says_nothing_are_not_found():
    assert precision(at((1, 1)), TRUTH) == 0.25
    assert precision(np.zeros((8, 8)), TRUTH) == 0
    assert math.isnan(earth_movers_score(np.zeros((8, 8)), TRUTH))


def test_the_distance_is_that_of_what_has_to_be_moved():
    assert earth_movers_score(TRUTH.astype(float), TRUTH) == pytest.approx(1)
    one = at((0, 0)).astype(bool)
    assert earth_movers_score(at((7, 7)), one) == pytest.approx(0)
    assert earth_movers_score(at((3, 4)), one) == pytest.approx(1 - 5 / DIAGONAL)
    two = at((0, 0), (0, 2)).astype(bool)
    # From between both, either half goes one pixel.
    assert earth_movers_score(at((0, 1)), two) == pytest.approx(1 - 1 / DIAGONAL)
    assert earth_movers_score(at((0, 0), (0, 1)), two) == pytest.approx(1 - 0.5 / DIAGONAL)


def test_a_shifted_map_is_as_far_as_the_shift():
    shifted = np.roll(TRUTH, (2, 3), axis=(0, 1)).astype(float)
    assert earth_movers_score(shifted, TRUTH) == pytest.approx(1 - math.hypot(2, 3) / DIAGONAL)


def test_large_pictures_are_compared_by_blocks():
    large = np.kron(TRUTH, np.ones((8, 8)))
    assert earth_movers_score(large, large > 0) == pytest.approx(1)
    moved = np.roll(large, 8, axis=1)
    assert earth_movers_score(moved, large > 0) == pytest.approx(1 - 1 / DIAGONAL)
