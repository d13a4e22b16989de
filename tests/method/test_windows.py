import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preddiff.errors import SettingError
from preddiff.method.windows import Windows


@st.composite
def settings(draw):
    dimensions = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, 9)) for _ in range(dimensions))
    size = draw(st.integers(1, min(shape)))
    return shape, size, draw(st.integers(1, 4))


def by_hand(shape, size, stride):
    axes = (sorted({*range(0, n - size + 1, stride), n - size}) for n in shape)
    return list(itertools.product(*axes))


@given(settings())
def test_starts_are_every_corner_inside(setting):
    shape, size, stride = setting
    windows = Windows.over(shape, size, stride)
    assert windows.starts.tolist() == [list(start) for start in by_hand(*setting)]


@given(settings(), st.integers(0, 2**32 - 1))
def test_total_mean_and_coverage_equal_a_loop(setting, seed):
    shape, size, stride = setting
    windows = Windows.over(shape, size, stride)
    values = np.random.default_rng(seed).normal(size=(2, len(windows)))
    total, coverage = np.zeros((2, *shape)), np.zeros(shape, dtype=int)
    for i, start in enumerate(by_hand(*setting)):
        box = tuple(slice(s, s + size) for s in start)
        total[(slice(None), *box)] += values[:, i].reshape(2, *(1,) * len(shape))
        coverage[box] += 1
    np.testing.assert_array_equal(windows.coverage, coverage)
    np.testing.assert_allclose(windows.total(values), total, atol=1e-12)
    expected = np.where(coverage > 0, total / np.maximum(coverage, 1), np.nan)
    np.testing.assert_allclose(windows.mean(values), expected, atol=1e-12)


@given(settings())
def test_error_of_a_mean_of_equal_errors_shrinks_by_the_root_of_the_coverage(setting):
    windows = Windows.over(*setting)
    error = windows.error_of_mean(np.full((1, len(windows)), 3.0))[0]
    covered = windows.coverage > 0
    np.testing.assert_allclose(error[covered], 3 * windows.coverage[covered] ** -0.5)
    assert np.isnan(error[~covered]).all()


@given(settings(), st.integers(0, 2**32 - 1))
def test_touching_keeps_the_windows_that_hold_a_true_element(setting, seed):
    shape, size, _ = setting
    mask = np.random.default_rng(seed).random(shape) < 0.2
    windows = Windows.over(*setting)
    expected = [
        list(start)
        for start in windows.starts.tolist()
        if mask[tuple(slice(s, s + size) for s in start)].any()
    ]
    assert windows.touching(mask).starts.tolist() == expected


def test_numbers_depend_on_the_corner_alone():
    every, some = Windows.over((7, 9), 3), Windows.over((7, 9), 3, stride=2)
    numbers = dict(zip(map(tuple, every.starts), every.numbers, strict=True))
    assert len(set(every.numbers)) == len(every)
    for start, number in zip(map(tuple, some.starts), some.numbers, strict=True):
        assert numbers[start] == number


def test_a_size_per_dimension():
    windows = Windows.over((4, 6), (2, 3), (2, 3))
    assert windows.starts.tolist() == [[0, 0], [0, 3], [2, 0], [2, 3]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((5, 5), 6), "window 6×6 does not fit into an input of 5×5: expected at most 5"),
        (((5, 5), 0), "window=0: expected whole numbers of at least 1"),
        (((5, 5), 2.5), "window=2.5"),
        (((5, 5), 2, 0), "stride=0: expected whole numbers of at least 1"),
        (((5, 5), (2, 2, 2)), "has 3 lengths, but the input has 2 dimensions"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(SettingError, match=message.replace("(", r"\(")):
        Windows.over(*arguments)


@given(shape=st.tuples(st.integers(8, 30), st.integers(8, 30)), stride=st.integers(1, 3))
def test_interlaced_order_visits_every_window_once(shape, stride):
    windows = Windows.over(shape, 4, stride)
    np.testing.assert_array_equal(np.sort(windows.interlaced), np.arange(len(windows)))


@pytest.mark.parametrize("share", [1 / 16, 1 / 8, 1 / 4, 1 / 2])
def test_interlaced_order_covers_evenly(share):
    """At every moment each quarter of a quarter of the array has its share of windows."""
    windows = Windows.over((137, 137), 10)
    first = windows.subset(windows.interlaced[: int(share * len(windows))])
    count, _, _ = np.histogram2d(*first.starts.T, bins=4, range=[(0, 128)] * 2)
    np.testing.assert_allclose(count, count.mean(), rtol=0.2)
    assert (first.coverage > 0).mean() > 0.99


@pytest.mark.parametrize("stride", [1, 7])
def test_what_is_covered_is_where_windows_are(rng, stride):
    windows = Windows.over((40, 41), (5, 3), stride)
    some = windows.subset(rng.permutation(len(windows))[: len(windows) // 2])
    for each in (windows, some, windows.subset(np.arange(0))):
        np.testing.assert_array_equal(each.covered, each.coverage > 0)
