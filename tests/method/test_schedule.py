"""What comes next: everything at last, and sooner where the map is less sure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preddiff.method.analysis import Findings
from preddiff.method.running_means import Tally
from preddiff.method.schedule import InOrder, WhereNeeded
from preddiff.method.windows import Windows

ROUNDS = ((0, 4), (4, 10))


def findings(windows, tally, evidence):
    """What is known of windows whose evidence is given."""
    visited = np.flatnonzero(tally.groups)
    found = evidence[None, visited]
    return Findings(windows, visited, found, np.abs(found), np.zeros_like(found), 0)


def visits(schedule, windows, evidence, most=10**6):
    """The visits in turn; a tally that counted them."""
    tally, made = Tally.empty(1, len(windows), size=2), []
    while len(made) < most and (
        visit := schedule.next(tally, lambda: findings(windows, tally, evidence))
    ):
        which, first, last = visit
        tally.add(which, np.zeros((1, len(which), last - first)))
        made.append(visit)
    return made, tally


@given(
    shape=st.tuples(st.integers(4, 20), st.integers(4, 20)),
    size=st.integers(1, 4),
    chunk=st.integers(1, 50),
    rounds=st.sampled_from([((0, 2),), ((0, 4), (4, 6)), ((0, 2), (2, 6), (6, 8))]),
)
def test_every_window_gets_every_draw_once(shape, size, chunk, rounds):
    windows = Windows.over(shape, size)
    evidence = np.random.default_rng(0).normal(size=len(windows))
    schedule = WhereNeeded(windows, rounds, chunk)
    made, tally = visits(schedule, windows, evidence)
    had = [set() for _ in range(len(windows))]
    for which, first, last in made:
        assert 0 < len(which) <= chunk
        for window in which:
            assert first == len(had[window])  # one round after the other
            had[window].update(range(first, last))
    assert all(draws == set(range(rounds[-1][1])) for draws in had)
    assert tally.visits == len(schedule)


def test_in_order_is_the_interlaced_order():
    windows = Windows.over((9, 7), 3)
    made, _ = visits(InOrder(windows, 10, 4), windows, np.zeros(len(windows)))
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
    _, tally = visits(WhereNeeded(windows, ROUNDS, 64), windows, evidence, most=40)
    seen = tally.groups > 0
    assert seen[right].mean() > 2 * seen[~right].mean()
    assert (windows.subset(np.flatnonzero(seen)).coverage > 0).all()


def test_they_get_more_draws_sooner_too(uneven):
    windows, right, evidence = uneven
    schedule = WhereNeeded(windows, ROUNDS, 64)
    _, tally = visits(schedule, windows, evidence, most=len(windows) // 64)
    assert (tally.groups[right] == 5).mean() > 0.1
    assert (tally.groups[~right] == 0).any()


def test_at_first_they_come_evenly(uneven):
    windows, _, evidence = uneven
    made, _ = visits(WhereNeeded(windows, ROUNDS, 16), windows, evidence, most=4)
    first = np.concatenate([which for which, *_ in made])
    np.testing.assert_array_equal(first, windows.interlaced[:64])


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(uneven):
    windows, _, evidence = uneven
    schedule = WhereNeeded(windows, ROUNDS, 64)
    _, tally = visits(schedule, windows, evidence, most=30)
    again = Tally(tally.groups.copy(), tally.mean, tally.squares, tally.visits, tally.size)
    one, two = (
        schedule.next(t, lambda t=t: findings(windows, t, evidence)) for t in (tally, again)
    )
    np.testing.assert_array_equal(one[0], two[0])
    assert one[1:] == two[1:]
