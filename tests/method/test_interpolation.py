"""Between visited windows evidence is linear; how uneven it is comes out as a variance."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from preddiff.method.interpolation import Interpolation
from preddiff.method.windows import Windows


def every_nth(windows, pitch, stride=1):
    """The windows that form a grid of some pitch."""
    return np.flatnonzero((windows.starts % (pitch * stride) == 0).all(axis=1))


@pytest.mark.parametrize(("shape", "pitch"), [((84, 84), 4), ((67, 75), 2), ((24, 24, 24), 3)])
def test_on_a_grid_it_is_multilinear_interpolation(rng, shape, pitch):
    windows = Windows.over(shape, 4)
    visited = every_nth(windows, pitch)
    values = rng.normal(size=len(visited))
    filled = Interpolation(windows, visited).interpolate(values)
    axes = [np.unique(at) for at in windows.starts[visited].T]
    expected = RegularGridInterpolator(axes, values.reshape([len(axis) for axis in axes]))
    far = [axis.max() for axis in axes]
    inside = (windows.starts <= far).all(axis=1)
    # Near the border the density is that of fewer windows, and the pitch need not be the grid's.
    inner = inside & (Interpolation(windows, visited)._pitch == pitch)
    assert inner.mean() > 0.5
    np.testing.assert_allclose(filled[inner], expected(windows.starts[inner]), atol=1e-12)


@pytest.mark.parametrize("share", [0.03, 0.2, 0.7])
def test_a_constant_stays_a_constant(rng, share):
    windows = Windows.over((60, 50), 5)
    visited = np.sort(rng.choice(len(windows), int(share * len(windows)), replace=False))
    filled = Interpolation(windows, visited).interpolate(np.full(len(visited), 2.5))
    np.testing.assert_allclose(filled, 2.5)


def test_interpolated_values_lie_between_those_of_the_visited_windows(rng):
    windows = Windows.over((60, 50), 5)
    visited = np.sort(rng.choice(len(windows), 200, replace=False))
    values = rng.normal(size=200)
    filled = Interpolation(windows, visited).interpolate(values)
    assert filled.min() >= values.min()
    assert filled.max() <= values.max()


def test_everything_is_filled_from_a_single_window():
    windows = Windows.over((90, 80), 3)
    filled = Interpolation(windows, np.array([7])).interpolate(np.array([3.0]))
    np.testing.assert_allclose(filled, 3.0)


def test_it_does_not_depend_on_the_stride(rng):
    dense, strided = Windows.over((42, 42), 3), Windows.over((120, 120), 3, stride=3)
    assert len(dense) == len(strided)
    visited = np.sort(rng.choice(len(dense), 200, replace=False))
    values = rng.normal(size=200)
    one, two = Interpolation(dense, visited), Interpolation(strided, visited)
    np.testing.assert_array_equal(one.interpolate(values), two.interpolate(values))
    np.testing.assert_array_equal(one.squared_deviations(values), two.squared_deviations(values))


def test_density_is_the_share_of_the_windows_around_that_was_visited():
    windows = Windows.over((103, 103), 4)
    left = np.flatnonzero(windows.starts[:, 1] < 50)
    thin = np.flatnonzero((windows.starts[:, 1] >= 50) & (windows.starts % 5 == 0).all(axis=1))
    visited = np.sort(np.concatenate([left, thin]))
    density = Interpolation(windows, visited).density
    y, x = windows.starts.T
    np.testing.assert_allclose(density[x < 30], 1)
    middle = (x > 70) & (x < 80) & (y > 20) & (y < 80)
    assert density[middle] == pytest.approx(1 / 25, rel=0.25)


def test_density_counts_only_windows_that_there_are():
    mask = np.zeros((60, 60), dtype=bool)
    mask[5:12, 5:40] = True
    windows = Windows.over((60, 60), 3).touching(mask)
    np.testing.assert_allclose(Interpolation(windows, np.arange(len(windows))).density, 1)


def test_sums_around_hold_33_windows_along_each_axis():
    windows = Windows.over((103, 103), 4)
    around = Interpolation(windows, np.arange(len(windows))).sum_around(np.ones(len(windows)))
    assert around.max() == 33**2
    assert around.min() == 17**2  # in a corner


@pytest.mark.parametrize("share", [0.05, 0.25, 0.6])
def test_independent_errors_have_their_variance(rng, share):
    windows = Windows.over((110, 110), 6)
    visited = np.sort(windows.interlaced[: int(share * len(windows))])
    found = [
        Interpolation(windows, visited).squared_deviations(rng.normal(0, 3, len(visited))).mean()
        for _ in range(20)
    ]
    assert np.mean(found) == pytest.approx(9, rel=0.1)


def test_a_slope_is_not_uneven():
    windows = Windows.over((84, 84), 4)
    visited = every_nth(windows, 4)
    slope = windows.starts[visited] @ np.array([0.3, -0.2])
    squared = Interpolation(windows, visited).squared_deviations(slope)
    y, x = windows.starts[visited].T
    inner = (np.minimum(y, x) >= 16) & (np.maximum(y, x) <= 64)
    np.testing.assert_allclose(squared[inner], 0, atol=1e-12)
    assert slope.var() > 10


def test_a_window_without_neighbours_has_the_variance_of_all():
    windows = Windows.over((90, 90), 3)
    near = np.flatnonzero((windows.starts < 20).all(axis=1) & (windows.starts % 2 == 0).all(axis=1))
    visited = np.append(near, len(windows) - 1)
    values = np.append(np.zeros(len(near)), 5.0)
    squared = Interpolation(windows, visited).squared_deviations(values)
    assert squared[-1] == pytest.approx(values.var())
    np.testing.assert_allclose(squared[:-1], 0)
