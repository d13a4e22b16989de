"""The map of all windows from some of them: unbiased, with error bars that hold."""

import numpy as np
import pytest
from scipy import ndimage

from preddiff.method import uncertainty
from preddiff.method.windows import Windows


def smooth(rng, windows, scale):
    """A field of evidence over the windows that changes over `scale` windows."""
    shape = [len(np.unique(at)) for at in windows.starts.T]
    field = ndimage.gaussian_filter(rng.normal(size=shape), scale).reshape(1, -1)
    return field / field.std()


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.35, 0.6, 0.9])
@pytest.mark.parametrize("noise", [0.1, 0.4, 1.0])
@pytest.mark.parametrize("scale", [3, 12])
def test_error_bars_hold(rng, share, noise, scale):
    """Over 20 fields the full map lies within ±1.96 standard errors in 92 to 99 % of the pixels."""
    windows = Windows.over((90, 80), 10)
    within, asked, true = [], [], []
    for _ in range(20):
        truth = smooth(rng, windows, scale)
        visited = np.sort(windows.interlaced[: int(share * len(windows))])
        found = truth[:, visited] + noise * rng.normal(size=(1, len(visited)))
        error = np.full_like(found, noise)
        relevance = uncertainty.relevance(windows, visited, found)
        bars = uncertainty.standard_error(windows, visited, found, error)
        off = relevance - windows.mean(truth)
        seen = ~np.isnan(off)
        assert seen.mean() > 0.99
        within.append((np.abs(off) <= 1.96 * bars)[seen].mean())
        asked.append(np.nanmean(bars**2))
        true.append(np.nanmean(off**2))
    assert 0.92 <= np.mean(within) <= 0.99
    assert 0.95 <= np.sqrt(np.mean(asked) / np.mean(true)) <= 1.4


def test_a_jump_between_the_first_windows_is_not_believed_to_be_smooth(rng):
    """Where the windows visited first say that nothing is uneven, some width remains."""
    windows = Windows.over((90, 80), 10)
    visited = np.sort(windows.interlaced[: len(windows) // 10])
    flat = np.zeros((1, len(visited)))
    flat[0, len(visited) // 2] = 1.0
    bars = uncertainty.standard_error(windows, visited, flat, np.zeros_like(flat))
    assert np.nanmax(bars) > 0


def test_error_bars_are_steady_though_they_come_from_few_draws(rng):
    """Two pairs a window give an error with one degree of freedom, here the same everywhere."""
    windows = Windows.over((90, 80), 10)
    visited = np.sort(windows.interlaced[: len(windows) // 20])
    pairs = rng.normal(size=(2, len(visited)))
    found, error = pairs.mean(axis=0)[None], (np.abs(pairs[0] - pairs[1]) / 2)[None]
    bars = uncertainty.standard_error(windows, visited, found, error)
    single = np.sqrt(0.5 / windows.subset(visited).coverage)
    inside = (bars / single)[0, 10:-10, 10:-10]
    assert 0.85 < inside.mean() < 1.15
    assert inside.std() < 0.2


def denser_on_the_right(windows, share):
    """Windows whose density is eight times as high on the right."""
    worth = np.where(windows.starts[:, 1] > 40, 4.0, 0.5)
    return np.sort(np.argsort(windows.ranks / worth)[: int(share * len(windows))])


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
def test_error_bars_hold_where_windows_are_denser_in_places(rng, share):
    windows = Windows.over((90, 80), 10)
    visited = denser_on_the_right(windows, share)
    left = windows.starts[visited, 1] <= 40
    assert left.mean() < 0.4
    within = []
    for _ in range(20):
        truth = smooth(rng, windows, 6)
        noise = np.where(left, 0.05, 0.5)[None]
        found = truth[:, visited] + noise * rng.normal(size=noise.shape)
        bars = uncertainty.standard_error(windows, visited, found, noise)
        off = uncertainty.relevance(windows, visited, found) - windows.mean(truth)
        within.append((np.abs(off) <= 1.96 * bars)[~np.isnan(off)].mean())
    assert 0.90 <= np.mean(within) <= 0.99


def test_a_slope_is_met_between_two_densities():
    windows = Windows.over((90, 80), 10)
    truth = (windows.starts @ np.array([0.3, -0.2]))[None].astype(float)
    visited = denser_on_the_right(windows, 0.2)
    found = uncertainty.relevance(windows, visited, truth[:, visited])
    off = np.abs(found - windows.mean(truth))[:, 10:-10, 10:-10]
    assert off.max() < 0.3
    assert np.sqrt((off**2).mean()) < 0.1


def test_a_slope_is_met_exactly():
    """The plain mean of the visited windows would lie off-centre."""
    windows = Windows.over((40, 40), 8)
    truth = (windows.starts @ np.array([0.3, -0.2]))[None].astype(float)
    visited = np.sort(np.flatnonzero((windows.starts % 4 == 0).all(axis=1)))
    found = uncertainty.relevance(windows, visited, truth[:, visited])
    inside = np.s_[:, 8:-8, 8:-8]
    np.testing.assert_allclose(found[inside], windows.mean(truth)[inside], atol=1e-9)
    plain = windows.subset(visited).mean(truth[:, visited])
    assert np.abs(plain - windows.mean(truth))[inside].max() > 0.3


def test_all_windows_are_the_plain_mean(rng):
    windows = Windows.over((12, 14), 3, stride=2)
    evidence, error = rng.normal(size=(2, 2, len(windows)))
    error = np.abs(error)
    every = np.arange(len(windows))
    np.testing.assert_array_equal(
        uncertainty.relevance(windows, every, evidence), windows.mean(evidence)
    )
    np.testing.assert_array_equal(
        uncertainty.standard_error(windows, every, evidence, error), windows.error_of_mean(error)
    )


def test_what_no_visited_window_covers_has_no_value(rng):
    windows = Windows.over((30, 30), 4)
    visited = np.array([0, 5])
    found = uncertainty.relevance(windows, visited, np.ones((1, 2)))
    assert np.isnan(found[0, 20, 20])
    assert found[0, 0, 0] == 1
    error = uncertainty.standard_error(windows, visited, np.ones((1, 2)), np.ones((1, 2)))
    assert uncertainty.relative_error(found, error, windows.coverage > 0) == np.inf


def test_relative_error_is_that_of_the_worst_target():
    relevance = np.array([[[3.0, 4.0]], [[1.0, 1.0]]])
    error = np.full((2, 1, 2), 0.1)
    expected = 0.1 / np.sqrt(1 - 0.01)
    covered = np.ones((1, 2), dtype=bool)
    assert uncertainty.relative_error(relevance, error, covered) == pytest.approx(expected)


def test_three_dimensions(rng):
    windows = Windows.over((14, 15, 16), 4)
    truth = smooth(rng, windows, 3)
    visited = np.sort(windows.interlaced[: len(windows) // 6])
    found = uncertainty.relevance(windows, visited, truth[:, visited])
    off = (found - windows.mean(truth))[0]
    assert np.sqrt(np.nanmean(off**2)) < 0.2
