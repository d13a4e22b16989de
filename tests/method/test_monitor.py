"""The monitor keeps, checks, reports, shows and stops, at the same visits in every run."""

import math

import numpy as np
import pytest

from preddiff.method import monitor as module
from preddiff.method.estimates import Estimates
from preddiff.method.monitor import Monitor
from preddiff.method.windows import Windows


class Known:
    """Estimates whose relative error is given; counts how often it is asked for."""

    def __init__(self, error):
        self.error = error
        self.asked = 0

    def relative_error(self):
        self.asked += 1
        return self.error


def monitor(tolerance=None, *, show=None, visits=0, measured=False):
    """A monitor, the reports that it makes, and how often it kept the work."""
    reports, kept = [], []
    made = Monitor(
        tolerance,
        lambda *report: reports.append(report),
        lambda: kept.append(1),
        show,
        visits,
        measured=measured,
    )
    return made, reports, kept


def checks(first, last, chunk=1):
    """At which visits the error is computed in a run from `first` to `last`."""
    watching, _, _ = monitor(0.1, visits=first)
    found = []
    for visits in range(first + chunk, last + 1, chunk):
        known = Known(1.0)
        watching(lambda known=known: known, visits, 10**6)
        if known.asked:
            found.append(visits)
    return found


@pytest.mark.parametrize(("error", "stops"), [(0.2, False), (0.1, False), (0.0999, True)])
def test_it_stops_below_the_tolerance(error, stops):
    watching, reports, _ = monitor(0.1)
    assert watching(lambda: Known(error), 64, 1000) is stops
    assert reports[-1][2] == error


def test_the_error_is_first_computed_after_64_visits():
    watching, reports, _ = monitor(0.1)
    assert not watching(lambda: Known(0.0), 63, 1000)
    assert reports == [(63, 1000, None)]
    assert watching(lambda: Known(0.0), 64, 1000)


def test_checks_become_rarer():
    found = checks(0, 4000)
    steps = np.diff(found)
    assert found[:3] == [64, 128, 192]
    assert (steps[:19] == 64).all()
    assert steps[-1] == pytest.approx(found[-2] / 20, abs=1)


@pytest.mark.parametrize("first", [1, 63, 64, 200, 2001])
def test_a_resumed_run_is_checked_at_the_same_visits(first):
    whole = checks(0, 4000)
    assert checks(first, 4000) == [visits for visits in whole if visits > first]


def test_the_work_to_come_is_foreseen_from_the_error():
    watching, reports, _ = monitor(0.1)
    watching(lambda: Known(0.3), 100, 10_000)
    assert reports[-1] == (100, 900, 0.3)  # a third of the error takes nine times the draws
    watching, reports, _ = monitor(0.1)
    watching(lambda: Known(0.3), 100, 500)
    assert reports[-1] == (100, 500, 0.3)


@pytest.mark.parametrize("error", [math.inf, math.nan])
def test_an_error_that_is_infinite_or_no_number_neither_stops_nor_raises(error):
    watching, reports, kept = monitor(0.1)
    assert not watching(lambda: Known(error), 64, 1000)
    assert reports[-1][:2] == (64, 1000)
    assert len(kept) == 1


def test_a_map_with_parts_that_have_no_value_is_infinitely_uncertain():
    windows = Windows.over((30, 30), 4)
    some = np.array([[0.5, 1.0]])
    estimates = Estimates(windows, np.array([0, 5]), some, some, np.zeros((1, 2)), 8)
    watching, reports, _ = monitor(0.1)
    assert not watching(lambda: estimates, 64, 1000)
    assert reports == [(64, 1000, math.inf)]


def test_nothing_is_computed_that_nobody_asks_for():
    watching, reports, kept = monitor(None)
    known = Known(0.0)
    for visits in (64, 128, 4000):
        assert not watching(lambda: known, visits, 5000)
    assert known.asked == 0
    assert reports == [(visits, 5000, None) for visits in (64, 128, 4000)]
    assert len(kept) == 3


def test_the_error_is_measured_for_a_progress_bar_without_a_tolerance():
    watching, reports, _ = monitor(None, measured=True)
    assert not watching(lambda: Known(1e-9), 64, 1000)
    assert reports == [(64, 1000, 1e-9)]


def test_the_map_is_shown_once_a_second(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    shown = []
    watching, _, _ = monitor(None, show=shown.append)
    for visits, now[0] in [(1, 100.0), (2, 100.5), (3, 100.9), (4, 101.1), (5, 101.2)]:
        watching(lambda visits=visits: visits, visits, 10)
    assert shown == [1, 4]


@pytest.mark.parametrize(("answer", "stops"), [(True, True), (False, False), (None, False)])
def test_who_is_shown_the_map_may_stop_it(answer, stops):
    watching, _, kept = monitor(None, show=lambda _estimates: answer)
    assert watching(lambda: Known(1.0), 1, 10) is stops
    assert len(kept) == 1


def test_while_no_error_is_known_the_probable_work_is_reported():
    reports = []
    made = Monitor(
        0.1,
        lambda *report: reports.append(report[:2]),
        lambda: None,
        None,
        measured=False,
        probable=50,
    )
    for visits in (10, 40, 500):
        made(lambda: Known(math.inf), visits, 600)
    assert reports == [(10, 50), (40, 80), (500, 600)]
    made(lambda: Known(0.11), 560, 600)
    assert reports[-1] == (560, 600)


def test_an_interruption_stops_after_the_chunk_and_is_no_end():
    made = Monitor(
        None, lambda *_: None, lambda: None, None, measured=False, interrupted=lambda: True
    )
    assert made(lambda: Known(0.5), 10, 20)
    assert made.stopped
    assert made(lambda: Known(0.5), 20, 20)
    assert not made.stopped
