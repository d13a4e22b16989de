"""Patch flipping, where the best order is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid

from preddiff.studies.evaluation.flipping import flip
from preddiff.studies.evaluation.imputers import grey
from preddiff.studies.evaluation.maps import grid_regions
from studies.evaluation.additive import additive_model, truth

SHAPE = (3, 16, 16)
RANDOM = np.random.default_rng(7)
WEIGHTS = RANDOM.normal(size=SHAPE).astype(np.float32) / 4
PICTURE = RANDOM.random(SHAPE, dtype=np.float32)
MODEL = additive_model(WEIGHTS)
TRUTH = truth(WEIGHTS, PICTURE)
GRID = 4
PATCHES = grid_regions(SHAPE[1:], GRID)


def gain(values, **settings):
    return flip(MODEL, PICTURE, 1, values, grey, PATCHES, **settings).gain


BEST = gain(TRUTH)


@given(st.integers(0, 2**32 - 1))
def test_no_map_has_more_gain_than_the_truth(seed):
    assert gain(np.random.default_rng(seed).normal(size=SHAPE[1:])) <= BEST + 1e-9


def test_the_gain_of_the_truth_is_what_its_sums_say():
    """One patch a step: both curves are known sums of what patches are worth."""
    worth = np.bincount(PATCHES.ravel(), TRUTH.ravel())
    odds = float((WEIGHTS * PICTURE).sum())

    def area(order):
        curve = odds - np.concatenate([[0], np.cumsum(worth[order])])
        return trapezoid(curve, np.linspace(0, 1, len(curve)))

    ascending = np.argsort(worth)
    expected = area(ascending) - area(ascending[::-1])
    assert gain(TRUTH, steps=GRID**2) == pytest.approx(expected, abs=1e-4)
    assert expected > 1


def test_the_negative_map_has_the_negative_gain():
    assert gain(-TRUTH) == pytest.approx(-BEST)


def test_a_random_map_has_no_gain_on_average():
    gains = [gain(np.random.default_rng(seed).random(SHAPE[1:])) for seed in range(200)]
    error = np.std(gains) / np.sqrt(len(gains))
    assert abs(np.mean(gains)) < 3 * error < BEST / 4


def test_a_flat_map_has_no_gain_on_average():
    """Patches of equal means come in a random order, not from the top down."""
    gains = [gain(np.zeros(SHAPE[1:]), seed=seed) for seed in range(200)]
    assert abs(np.mean(gains)) < 3 * np.std(gains) / np.sqrt(len(gains))
    assert np.std(gains) > 0


def test_insertion_and_deletion_are_areas_of_the_probability():
    flipping = flip(MODEL, PICTURE, 1, TRUTH, grey, PATCHES)
    assert 0 < flipping.deletion < flipping.insertion < 1
    assert flipping.least_first[[0, -1]] == pytest.approx(flipping.most_first[[0, -1]])
    everything = MODEL.predict(np.full((1, *SHAPE), 0.5, dtype=np.float32))[0, 1]
    assert flipping.most_first[0] == pytest.approx(MODEL.predict(PICTURE[None])[0, 1])
    assert flipping.most_first[-1] == pytest.approx(everything)


def test_other_regions_than_a_grid():
    halves = np.zeros(SHAPE[1:], dtype=np.int64)
    halves[:, 8:] = 1
    worth = np.bincount(halves.ravel(), TRUTH.ravel())
    flipping = flip(MODEL, PICTURE, 1, TRUTH, grey, halves, steps=2)
    assert flipping.gain == pytest.approx(abs(worth[1] - worth[0]) / 2, abs=1e-5)
    assert flipping.shares == pytest.approx([0, 0.5, 1])


def test_a_map_costs_two_evaluations_a_step():
    asked = []
    counting = additive_model(WEIGHTS)
    call = counting.call
    counting.call = lambda inputs: asked.append(len(inputs)) or call(inputs)
    flip(counting, PICTURE, 1, TRUTH, grey, PATCHES, steps=10)
    assert sum(asked) == 20


def test_digits_of_a_sure_network_are_kept():
    """Where p rounds to 1, its log-odds still tell maps apart."""
    sure = additive_model(WEIGHTS)
    sure.both_sides = lambda inputs: np.array([[1e-30, 1.0, 1e-30, 1.0]] * len(inputs))
    flipping = flip(sure, PICTURE, 1, TRUTH, grey, PATCHES)
    assert flipping.most_first_odds == pytest.approx(30 * np.log(10), rel=1e-6)
