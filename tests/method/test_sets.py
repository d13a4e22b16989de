"""Each window's share of the evidence of random sets, against closed forms."""

import numpy as np
import pytest

from preddiff.method.pieces import Pieces
from preddiff.method.sets import GROUP, RATES, SetDesign
from preddiff.method.shares import shares
from preddiff.method.windows import Windows

TILES = Windows.over((12, 16), 4, 4)  # 3 × 4 windows side by side
MEAN_RATE = float(np.mean(RATES))


def told(value, windows=TILES, stride=4, count=1800, seed=0):
    """Return evidence and errors (window,) of v(S), a function of hidden windows (n, window)."""
    design = SetDesign(windows, stride, count, seed)
    hidden = np.zeros((len(design), len(windows)), dtype=bool)
    for group in range(len(design) // GROUP):
        tiling = design.tilings[design.rate_and_tiling(group)[1]]
        rows = slice(group * GROUP, (group + 1) * GROUP)
        hidden[rows, tiling] = design.members(group)
    found = shares(design, np.arange(len(design)), value(hidden)[None])
    assert found.known.tolist() == list(range(len(windows)))
    return found.evidence[0], found.error[0]


def test_evidence_that_adds_up_is_that_of_single_windows(rng):
    single = rng.normal(size=12)
    evidence, errors = told(lambda hidden: hidden @ single)
    np.testing.assert_allclose(evidence, single, atol=1e-7)
    np.testing.assert_allclose(errors, 0, atol=1e-7)


def test_two_parts_either_of_which_is_enough_get_their_share():
    # Nothing happens unless both are hidden, so each alone has evidence 0. Where one is hidden with
    # probability q, the other's slope is q; the mean over the rates is (0.1 + 0.3 + 0.5) / 3.
    evidence, errors = told(lambda hidden: (hidden[:, 2] & hidden[:, 7]).astype(float))
    expected = np.zeros(12)
    expected[[2, 7]] = MEAN_RATE
    assert (np.abs(evidence - expected) < 4 * errors + 1e-9).all()
    assert evidence[[2, 7]].min() > 0.25


def test_two_parts_both_of_which_are_needed_share_what_either_takes():
    # v is 1 if at least one is hidden: the slope of one is 1 where the other is visible.
    evidence, errors = told(lambda hidden: (hidden[:, 2] | hidden[:, 7]).astype(float))
    assert (np.abs(evidence[[2, 7]] - (1 - MEAN_RATE)) < 4 * errors[[2, 7]]).all()


def test_windows_that_overlap_are_of_several_tilings(rng):
    windows = Windows.over((12, 16), 4, 2)
    design = SetDesign(windows, 2, 1800, 0)
    assert len(design.tilings) == 4
    assert np.concatenate(design.tilings).size == len(windows)
    for number in (0, 35, 777):
        assert design.windows_of(number).coverage.max() <= 1
    single = rng.normal(size=len(windows))
    evidence, _ = told(lambda hidden: hidden @ single, windows, stride=2)
    np.testing.assert_allclose(evidence, single, atol=1e-7)


def test_a_window_is_hidden_equally_often_in_every_group():
    design = SetDesign(TILES, 4, 600, 3)
    for group in range(60):
        rate, _ = design.rate_and_tiling(group)
        assert (design.members(group).sum(axis=0) == round(GROUP * RATES[rate])).all()


def test_sets_depend_on_seed_and_number_alone():
    few, many = SetDesign(TILES, 4, 20, 5), SetDesign(TILES, 4, 500, 5)
    for number in range(20):
        same = few.windows_of(number).numbers, many.windows_of(number).numbers
        np.testing.assert_array_equal(*same)
    other = SetDesign(TILES, 4, 20, 6)
    assert any(
        other.windows_of(n).numbers.tolist() != few.windows_of(n).numbers.tolist()
        for n in range(20)
    )


def test_windows_are_hidden_independently_of_each_other():
    design = SetDesign(TILES, 4, 6000, 0)
    groups = [g for g in range(600) if design.rate_and_tiling(g)[0] == 1]
    hidden = np.concatenate([design.members(g) for g in groups]).astype(float)
    correlation = np.corrcoef(hidden.T) - np.eye(12)
    # Sets of a group depend on each other: what counts is the number of groups.
    assert np.abs(correlation).max() < 4.5 / np.sqrt(len(groups))


@pytest.mark.parametrize("count", [270, 900])
def test_errors_hold_the_truth(count):
    # Values with noise and an interaction of neighbours; the truth follows from independence.
    single = np.linspace(-2, 2, 12)
    truth = single.copy()
    truth[:-1] += 0.5 * MEAN_RATE
    truth[1:] += 0.5 * MEAN_RATE
    held = []
    for seed in range(40):
        noise = np.random.default_rng(seed)

        def value(hidden, noise=noise):
            pairs = (hidden[:, :-1] & hidden[:, 1:]).sum(axis=1)
            return hidden @ single + 0.5 * pairs + noise.normal(size=len(hidden))

        evidence, errors = told(value, count=count, seed=seed)
        held.append(np.abs(evidence - truth) < 1.96 * errors)
    assert 0.90 < np.mean(held) < 0.99


@pytest.mark.parametrize(("count", "noise"), [(300, 3.0), (300, 15.0), (900, 15.0)])
def test_errors_hold_the_truth_where_much_of_it_is_shrunk(count, noise):
    # As many windows as sets of a rate: the penalty takes most of the slopes.
    windows = Windows.over((40, 40), 4, 4)
    held, kept = [], []
    for seed in range(8):
        random = np.random.default_rng(seed)
        single = random.normal(size=len(windows))
        evidence, errors = told(
            lambda hidden, s=single, r=random: hidden @ s + noise * r.normal(size=len(hidden)),
            windows, count=count, seed=seed,
        )  # fmt: skip
        held.append(np.abs(evidence - single) < 1.96 * errors)
        kept.append(evidence @ single / (single @ single))
    assert np.mean(kept) < 0.5
    assert np.mean(held) > 0.8


def test_a_smooth_map_is_known_from_few_sets_and_its_errors_hold_it():
    # Twice as many windows as sets of a rate.
    windows = Windows.over((56, 56), 4, 4)
    at = windows.starts - 26.0
    held, correlations = [], []
    for seed in range(8):
        random = np.random.default_rng(seed)
        place = random.uniform(-12, 12, size=2)
        single = 2 * np.exp(-((at - place) ** 2).sum(axis=1) / (2 * 8.0**2))
        evidence, errors = told(
            lambda hidden, s=single, r=random: hidden @ s + 2 * r.normal(size=len(hidden)),
            windows, count=300, seed=seed,
        )  # fmt: skip
        held.append(np.abs(evidence - single) < 1.96 * errors)
        correlations.append(np.corrcoef(evidence, single)[0, 1])
    assert np.mean(correlations) > 0.9
    assert np.mean(held) > 0.85


def test_nothing_is_told_of_too_few_sets():
    design = SetDesign(TILES, 4, 60, 0)
    found = shares(design, np.arange(60), np.ones((2, 60)))
    assert len(found.known) == 12
    assert np.isnan(found.evidence).all()
    assert np.isnan(found.error).all()
    assert not found.depend


@pytest.mark.parametrize("seed", [1, 3])
def test_no_error_is_beyond_what_the_evidence_varies_by(seed):
    """Also of few sets, whose evidence a map without any penalty fits best."""
    design = SetDesign(Windows.over((56, 56), 4, 4), 4, 100, seed)
    hidden = design.all_hidden
    noise = np.random.default_rng(seed).normal(size=len(hidden))
    evidence = (30 * hidden.mean(axis=1) + noise)[None]
    found = shares(design, np.arange(len(hidden)), evidence)
    assert found.error.max() < evidence.std()
    assert (found.error > np.abs(found.evidence)).mean() > 0.5  # of 100 sets


@pytest.mark.parametrize("shape", [(14, 18), (8, 10, 8)])
def test_the_mean_at_a_pixel_has_an_error_of_its_own(rng, shape):
    """Of errors that depend on each other, against the covariance, pixel by pixel."""
    windows = Windows.over(shape, 4, 2)
    weights = rng.random((3, len(windows)))  # errors of three groups, left out in turn
    pieces = Pieces.of(windows)
    means = (pieces.means @ weights.T).T
    np.testing.assert_allclose(pieces.everywhere(means), windows.mean(weights), rtol=1e-12)


def test_bars_of_the_map_hold_where_windows_overlap(rng):
    """The errors of windows that share pixels are alike: their mean is hardly more precise."""
    windows = Windows.over((20, 20), 4, 2)
    at = windows.starts / 4
    single = np.exp(-((at - 2) ** 2).sum(axis=1) / 2)
    held, alone, squares = [], [], []
    for seed in range(12):
        design = SetDesign(windows, 2, 480, seed)
        hidden = design.all_hidden
        noise = np.random.default_rng(seed).normal(size=len(hidden))
        found = shares(design, np.arange(len(hidden)), (hidden @ single + 2 * noise)[None])
        off = np.abs(windows.mean(found.evidence - single))
        held.append(off < 1.96 * found.map_error())
        alone.append(off < 1.96 * windows.error_of_mean(found.error))
        off = np.abs(windows.mean(found.evidence**2 - found.error**2 - single**2))
        squares.append(off < 1.96 * np.sqrt(found.mean_square_variance()))
    assert np.mean(held) > 0.88
    assert np.mean(squares) > 0.88
    assert np.mean(alone) < np.mean(held) - 0.1
