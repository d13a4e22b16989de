"""Interactions and their errors, against sums and simulations."""

import numpy as np
import pytest

from preddiff.method import interactions
from preddiff.method.interactions import alone_and_in_pairs, of_unions, with_error
from preddiff.method.regions import Regions, boxes


def test_unions_are_every_region_alone_and_every_pair():
    unions = alone_and_in_pairs(4)
    assert unions.sum(axis=1).tolist() == [1] * 4 + [2] * 6
    assert len({tuple(row) for row in unions.tolist()}) == 10
    evidence = unions @ np.array([1.0, 2, 3, 4])
    evidence[4] += 0.5  # regions 0 and 1
    matrix = of_unions(evidence[None], 4)[0]
    expected = np.diag([1.0, 2, 3, 4])
    expected[0, 1] = expected[1, 0] = 0.5
    np.testing.assert_allclose(matrix, expected)


@pytest.mark.parametrize(("size", "population"), [(1, None), (2, None), (1, 60)])
def test_errors_hold_the_truth(size, population):
    # Log-odds of means of probabilities that are alike for draws of one number.
    def matrix_of(mean):
        return of_unions(-np.log2(mean / (1 - mean)), 2)

    held, off = [], []
    for seed in range(300):
        random = np.random.default_rng(seed)
        count = population or 20_000
        shared = random.normal(size=count)
        noise = random.normal(size=(3, count))
        every = 1 / (1 + np.exp(-(np.array([[0.5], [-1], [0.2]]) + shared + 0.5 * noise)))
        truth = matrix_of(every.mean(axis=1)[None])
        draws = every[:, random.permutation(count)[:20]]
        if size == 2:  # pairs that are the same draw twice say as much as ten draws
            draws = np.repeat(draws[:, :10], 2, axis=1)
        found, error = with_error(matrix_of, draws[None], size, population)
        held.append(np.abs(found - truth) < 1.96 * error)
        off.append(found - truth)
    assert 0.88 < np.mean(held) < 0.985
    assert np.abs(np.mean(off, axis=0)).max() < 4 * np.std(off, axis=0).max() / np.sqrt(300)


def test_all_draws_have_no_error_and_one_an_unknown_one(rng):
    values = rng.random((1, 3, 6))
    found, error = with_error(lambda mean: of_unions(mean, 2), values, 1, 6)
    np.testing.assert_array_equal(found, of_unions(values.mean(axis=2), 2))
    assert (error == 0).all()
    assert np.isnan(with_error(lambda mean: of_unions(mean, 2), values[:, :, :1])[1]).all()
    assert np.isnan(with_error(lambda mean: of_unions(mean, 2), values[:, :, :2], 2)[1]).all()


def test_indices_among_others_hold_the_truth():
    # A game of six players: sums, a pair and a triple, with noise.
    single = np.linspace(-1, 1, 6)
    regions = Regions.of(boxes((2, 3), (2, 3)))
    held = []
    for seed in range(30):
        design = interactions.random_sets(regions, 400, seed)
        hidden = design.all_hidden
        values = hidden @ single + 2.0 * hidden[:, :2].all(axis=1) + hidden[:, 3:].all(axis=1)
        values = values + np.random.default_rng(seed).normal(size=len(hidden))
        found, errors = interactions.among_random_others(design, values[None])
        truth = np.diag(single)
        truth[[0, 1], [1, 0]] = 2.0
        truth[[0, 1], [0, 1]] += 1.0  # half of the pair
        truth[3:, 3:] += 0.5 * (1 - np.eye(3)) + 0.25 * np.eye(3)
        held.append(np.abs(found[0] - truth) < 1.96 * errors[0])
    assert 0.88 < np.mean(held) < 0.99
