"""The pace of runs, which forecasts are made from."""

import math
import time

import numpy as np
import pytest

import preddiff
from pipeline.test_plan import planned
from preddiff.media import kept
from preddiff.method.analysis import never_stop
from preddiff.models.networks.network import Network
from preddiff.pipeline import run_of_windows
from preddiff.pipeline.pace import Pace, Stopwatch


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path, monkeypatch):
    monkeypatch.setenv(kept.FOLDER_VARIABLE, str(tmp_path / "kept"))


class Ended:
    """Estimates of a run that made so many draws."""

    def __init__(self, draws, error=0.2):
        self.draws = draws
        self.relative_error = lambda: error


def test_it_comes_back_as_it_was_kept():
    assert Pace.of({"model": 1}).seconds_per_draw is None
    Pace(0.5, 3e4).keep({"model": 1})
    assert Pace.of({"model": 1}) == Pace(0.5, 3e4)
    assert Pace.of({"model": 2}) == Pace()


@pytest.mark.parametrize("value", ["fast", None, -1.0, math.inf, [1.0], True])
def test_what_is_no_time_counts_as_unknown(value):
    kept.write({"model": 1}, {"seconds_per_draw": value, "draws_for_a_tenth": value})
    assert Pace.of({"model": 1}) == Pace()


def test_the_clock_stands_while_a_map_is_shown(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def shown(_current, _visits, _total):
        now[0] += 1000.0
        return True

    watch = Stopwatch(shown, draws=100)
    now[0] += 50.0
    assert watch(None, 1, 2) is True
    found = watch.pace(Pace(), Ended(1100), by_error=False)
    assert found == Pace(50.0 / 1000)


def test_draws_for_a_tenth_follow_from_the_error_that_was_reached(monkeypatch):
    watch = Stopwatch(never_stop, 0)
    before = Pace(None, 10_000.0)
    found = watch.pace(before, Ended(10_000, error=0.2), by_error=True)
    assert found.draws_for_a_tenth == pytest.approx(20_000)  # between 10,000 and 40,000
    unknown = watch.pace(before, Ended(10_000, error=math.inf), by_error=True)
    assert unknown.draws_for_a_tenth == 10_000
    assert watch.pace(before, Ended(10), by_error=True) is None


def test_a_short_run_is_forecast_by_an_earlier_one_and_times_nothing(
    rng, small_network, monkeypatch
):
    network = Network(small_network)
    picture = rng.random((3, 16, 16)).astype(np.float32)
    preddiff.explain(network, picture, window=4, samples=4, seed=1)
    plan = planned(network, picture, window=4, samples=4)
    monkeypatch.setattr(run_of_windows, "seconds_per_draw", None)
    about = plan.run._about
    Pace(60.0).keep(about)
    assert plan.run.forecast().endswith("= 676 draws (incremental engine), about 11.3 h")


def test_a_run_with_a_tolerance_takes_whole_chunks_until_every_pixel_has_a_value(rng):
    picture = rng.random((3, 40, 40)).astype(np.float32)

    def model(x):
        p = x.mean((1, 2, 3))
        return np.stack([p, 1 - p], axis=1)

    plan = planned(model, picture, window=4, samples=4, tolerance=0.9)
    plan.run.__dict__["_pace"] = Pace(None, 1.0)  # so precise a map needs no draws at all
    visits = plan.run.probable_visits
    chunk = plan.run._chunk
    assert visits % chunk == 0
    covered = plan.windows.subset(plan.windows.interlaced[:visits]).coverage
    assert (covered > 0).all()
    fewer = plan.windows.subset(plan.windows.interlaced[: visits - chunk]).coverage
    assert not (fewer > 0).all()
