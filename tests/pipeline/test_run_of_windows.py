"""Two ways to get evidence behind one protocol."""

import numpy as np
import pytest

from conftest import Softmax
from pipeline.test_plan import planned
from preddiff.method.analysis import never_stop
from preddiff.models import Linear
from preddiff.pipeline.run_of_windows import FIRST_DRAWS
from preddiff.samplers import Constant, Marginal


@pytest.fixture
def volume(rng):
    return rng.random((1, 5, 5, 5), dtype=np.float32)


@pytest.fixture
def model(rng, volume):
    return Linear(rng.normal(size=volume.shape), 0.1)


def evidence(plan):
    return plan.run.evidence(plan.run.begin(), never_stop)


def test_both_come_to_the_same(model, volume, rng):
    """A pool's draws are all taken, without replacement: nothing is left to chance."""
    pool = Marginal(rng.random((6, *volume.shape)))
    both = [planned(model, volume, sampler=pool, engine=each) for each in ("linear", "dense")]
    exact, drawn = map(evidence, both)
    np.testing.assert_allclose(drawn.evidence, exact.evidence, atol=1e-5)
    assert (exact.draws, drawn.draws) == (0, 6 * len(both[1].windows))


def test_a_closed_form_calls_once_and_keeps_nothing(model, volume):
    plan = planned(model, volume, sampler=Constant(0.0))
    calls = []
    means = plan.run.begin()
    plan.run.evidence(means, lambda _current, visits, total: calls.append((visits, total)))
    assert calls == [(len(plan.windows), len(plan.windows))]
    assert means.visits == 0


def test_it_stops_when_it_is_told_to(rng):
    picture = rng.random((3, 16, 16), dtype=np.float32)
    plan = planned(Softmax(picture.shape), picture, window=4, samples=2)
    found = plan.run.evidence(plan.run.begin(), lambda _current, visits, _total: visits >= 20)
    assert 20 <= len(found.visited) < len(plan.windows)


def test_it_goes_on_from_means(rng):
    picture = rng.random((3, 12, 12), dtype=np.float32)
    plan = planned(Softmax(picture.shape), picture, window=4, samples=2)
    means = plan.run.begin()
    plan.run.evidence(means, lambda _current, visits, _total: visits >= 20)
    resumed = plan.run.evidence(means, never_stop)
    np.testing.assert_array_equal(resumed.evidence, evidence(plan).evidence)


def test_forecasts_name_windows_draws_and_engine(rng, model, volume):
    picture = rng.random((3, 12, 12), dtype=np.float32)
    text = planned(Softmax(picture.shape), picture, window=4, samples=2).run.forecast()
    assert text.startswith("81 windows × 2 draws = 162 draws (dense engine), about 0 s")
    text = planned(
        Softmax(picture.shape), picture, window=4, samples=FIRST_DRAWS, tolerance=0.25
    ).run.forecast()
    assert text.startswith("81 windows × 4 draws = 324 draws at most (dense engine). Probab")
    assert text.endswith("about 0 s, at most 0 s; stops once the relative error is below 25 %")
    text = planned(Softmax(picture.shape), picture, window=4, stride=4, samples=2).run.forecast()
    assert text == "9 windows × 2 draws = 18 draws (dense engine)"  # not worth timing
    text = planned(model, volume, sampler=Constant(0.0)).run.forecast()
    assert text == "27 windows in closed form, without draws"
