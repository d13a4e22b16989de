"""What comes next: everything at last, and sooner where the map is less sure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preddiff.method.estimates import Estimates
from preddiff.method.running_means import RunningMeans
from preddiff.method.schedule import Adaptive, Interlaced
from preddiff.method.windows import Windows

ROUNDS = ((0, 4), (4, 10))


def findings(windows, means, evidence):
    """What is known of windows whose evidence is given."""
    visited = np.flatnonzero(means.groups)
    found = evidence[None, visited]
    return Estimates(windows, visited, found, np.abs(found), np.zeros_like(found), 0)


def visits(schedule, windows, evidence, most=10**6):
    """The visits in turn; a means that counted them."""
    means, made = RunningMeans.empty(1, len(windows), size=2), []
    while len(made) < most and (
        visit := schedule.next(means, lambda: findings(windows, means, evidence))
    ):
        which, first, last = visit
        means.add(which, np.zeros((1, len(which), last - first)))
        made.append(visit)
    return made, means


@given(
    shape=st.tuples(st.integers(4, 20), st.integers(4, 20)),
    size=st.integers(1, 4),
    chunk=st.integers(1, 50),
    rounds=st.sampled_from([((0, 2),), ((0, 4), (4, 6)), ((0, 2), (2, 6), (6, 8))]),
)
def test_every_window_gets_every_draw_once(shape, size, chunk, rounds):
    windows = Windows.over(shape, size)
    evidence = np.random.default_rng(0).normal(size=len(windows))
    schedule = Adaptive(windows, rounds, chunk)
    made, means = visits(schedule, windows, evidence)
    had = [set() for _ in range(len(windows))]
    for which, first, last in made:
        assert 0 < len(which) <= chunk
        for window in which:
            assert first == len(had[window])  # one round after the other
            had[window].update(range(first, last))
    assert all(draws == set(range(rounds[-1][1])) for draws in had)
    assert means.visits == len(schedule)


def test_in_order_is_the_interlaced_order():
    windows = Windows.over((9, 7), 3)
    made, _ = visits(Interlaced(windows, 10, 4), windows, np.zeros(len(windows)))
    np.testing.assert_array_equal(
        np.concatenate([which for which, _, _ in made]), windows.interlaced
    )
    assert {(first, last) for _, first, last in made} == {(0, 10)}


@pytest.fixture
def uneven():
    """Evidence that is rough in the right half, flat in the left one."""
    windows = Windows.over((70, 150), 8)
    right = windows.starts[:, 1] > 75
    return windows, right, np.random.default_rng(1).normal(size=len(windows)) * (0.1 + right)


def test_windows_come_sooner_where_the_map_is_less_sure(uneven):
    windows, right, evidence = uneven
    _, means = visits(Adaptive(windows, ROUNDS, 64), windows, evidence, most=40)
    seen = means.groups > 0
    assert seen[right].mean() > 2 * seen[~right].mean()
    assert (windows.subset(np.flatnonzero(seen)).coverage > 0).all()


def test_they_get_more_draws_sooner_too(uneven):
    windows, right, evidence = uneven
    schedule = Adaptive(windows, ROUNDS, 64)
    _, means = visits(schedule, windows, evidence, most=len(windows) // 64)
    assert (means.groups[right] == 5).mean() > 0.1
    assert (means.groups[~right] == 0).any()


def test_at_first_they_come_evenly(uneven):
    windows, _, evidence = uneven
    made, _ = visits(Adaptive(windows, ROUNDS, 16), windows, evidence, most=4)
    first = np.concatenate([which for which, *_ in made])
    np.testing.assert_array_equal(first, windows.interlaced[:64])


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(uneven):
    windows, _, evidence = uneven
    schedule = Adaptive(windows, ROUNDS, 64)
    _, means = visits(schedule, windows, evidence, most=30)
    again = RunningMeans(means.groups.copy(), means.mean, means.squares, means.visits, means.size)
    one, two = (
        schedule.next(t, lambda t=t: findings(windows, t, evidence)) for t in (means, again)
    )
    np.testing.assert_array_equal(one[0], two[0])
    assert one[1:] == two[1:]
