"""Runs in which random sets of windows are hidden together: what is done before they begin."""

import numpy as np
import pytest

from conftest import Softmax
from pipeline.test_plan import planned
from preddiff.method.analysis import never_stop
from preddiff.models.function import Function
from preddiff.pipeline import run_of_sets


class Exportable(Function):
    """A model that says when it is asked for a faster one."""

    asked = 0

    def faster(self, inputs, node=None, runtime=None):
        type(self).asked += 1
        return self


@pytest.fixture
def plan_of(rng, monkeypatch):
    monkeypatch.setattr(Exportable, "asked", 0)
    picture = rng.random((3, 12, 12), dtype=np.float32)

    def made(sets, samples):
        model = Exportable(Softmax(picture.shape))
        return planned(model, picture, window=4, stride=4, sets=sets, samples=samples)

    return made


def test_a_short_run_exports_nothing_and_few_sets_are_not_timed(plan_of, monkeypatch):
    short, long = plan_of(90, 1), plan_of(90, 3)
    for plan, asked in ((short, 0), (long, 1)):
        assert "runtime" not in plan.run.facts
        assert Exportable.asked == asked
    assert short.run.forecast().startswith("90 sets of windows × 1 draw, about ")
    monkeypatch.setattr(run_of_sets, "_PASSES_PER_TIMED", 30)
    assert short.run.forecast() == "90 sets of windows × 1 draw"


def test_sets_that_are_drawn_again_alone_are_worth_no_export(plan_of):
    run = plan_of(240, 1).run
    few = run.evidence_of(np.array([3, 17]))
    assert Exportable.asked == 0
    every = run.evidence(run.begin(), never_stop).of_sets
    assert Exportable.asked == 1
    # In another batch, sums are rounded otherwise: evidence of nothing may be 1e-15.
    np.testing.assert_allclose(few, every[:, [3, 17]], rtol=1e-5, atol=1e-12)
