"""Many inputs in Python, and runs that end by time."""

import itertools

import numpy as np
import pytest
from PIL import Image

import preddiff
from conftest import Softmax
from preddiff.errors import InputError, SettingError
from preddiff.samplers import load as samplers

SETTINGS = {"targets": 1, "window": 4, "stride": 2, "samples": 4, "sampler": "blurred"}
SHAPE = (3, 12, 12)


@pytest.fixture
def pictures(rng):
    return [rng.random(SHAPE).astype(np.float32) for _ in range(3)]


def test_results_come_in_order_and_are_those_of_each_by_itself(pictures, monkeypatch):
    loads = []
    load = samplers.SpecLoader.load
    monkeypatch.setattr(
        samplers.SpecLoader, "load", lambda *args: (loads.append(args), load(*args))[1]
    )
    seen = []
    model = Softmax(SHAPE)
    several = preddiff.explain_many(
        model, pictures, progress=lambda done, of: seen.append((done, of)), **SETTINGS
    )
    for picture, e in zip(pictures, several, strict=True):
        single = preddiff.explain(model, picture, **SETTINGS)
        np.testing.assert_array_equal(e.evidence, single.evidence)
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert len(loads) == 1 + len(pictures)


def test_an_input_may_have_settings_of_its_own_and_is_read_when_it_is_needed(pictures):
    taken = []

    def one_by_one():
        for n, picture in enumerate(pictures):
            taken.append(n)
            yield {"picture": picture, "targets": n, "seed": n}

    several = preddiff.explain_many(Softmax(SHAPE), one_by_one(), **SETTINGS)
    assert taken == []
    first = next(several)
    assert taken == [0]
    assert [int(each.data["target"][0]) for each in (first, *several)] == [0, 1, 2]


def test_an_input_that_fails_is_raised_or_stands_in_its_place(pictures):
    inputs = [pictures[0], "nothing.png", pictures[1]]
    several = preddiff.explain_many(Softmax(SHAPE), inputs, **SETTINGS)
    next(several)
    with pytest.raises(InputError, match=r"nothing\.png: no such file"):
        next(several)
    found = list(preddiff.explain_many(Softmax(SHAPE), inputs, return_errors=True, **SETTINGS))
    kinds = [type(each) for each in found]
    assert kinds == [preddiff.Explanation, InputError, preddiff.Explanation]


def test_a_folder_is_taken_and_what_is_wrong_is_said_at_once(tmp_path, pictures):
    for n in range(2):
        Image.new("RGB", (12, 12), "teal").save(tmp_path / f"{n}.png")
    several = preddiff.explain_many(Softmax(SHAPE), tmp_path, **SETTINGS)
    assert [e.provenance["input"] for e in several] == ["0.png", "1.png"]
    with pytest.raises(SettingError, match="expected a folder of inputs, or a list"):
        preddiff.explain_many(Softmax(SHAPE), tmp_path / "0.png")
    with pytest.raises(SettingError, match="samples=0"):
        preddiff.explain_many(Softmax(SHAPE), pictures, samples=0)
    with pytest.raises(SettingError, match="needs inputs whose number is known"):
        preddiff.explain_many(Softmax(SHAPE), iter(pictures), progress=True)
    with pytest.raises(TypeError, match="argument 'smaples'; nearest: samples"):
        preddiff.explain_many(Softmax(SHAPE), pictures, smaples=1)


class Clock:
    """Time that passes with each look at it."""

    def __init__(self, step):
        self.ticks = itertools.count(step=step)

    def __call__(self):
        return next(self.ticks)


def test_a_run_ends_by_time_with_the_map_so_far(pictures, tmp_path, monkeypatch):
    from preddiff.pipeline import analysis, run_of_windows

    monkeypatch.setattr(run_of_windows, "_MAX_DRAWS_HELD", 16)
    settings = {**SETTINGS, "stride": 1, "checkpoint": tmp_path / "a.npz"}
    whole = preddiff.explain(Softmax(SHAPE), pictures[0], **{**settings, "checkpoint": None})
    with monkeypatch.context() as patched:
        patched.setattr(analysis.time, "monotonic", Clock(1))
        e = preddiff.explain(Softmax(SHAPE), pictures[0], budget=12, **settings)
    assert e.is_partial
    assert "partial: stopped before the end" in e.relative_error_text
    assert 0 < len(e.evidence.window) < len(whole.evidence.window)
    again = preddiff.explain(Softmax(SHAPE), pictures[0], budget=3600, **settings)
    assert not again.is_partial
    np.testing.assert_array_equal(again.evidence, whole.evidence)


def test_many_inputs_end_by_time(pictures, monkeypatch):
    from preddiff.pipeline import many

    monkeypatch.setattr(many.time, "monotonic", Clock(1))
    found = list(preddiff.explain_many(Softmax(SHAPE), pictures * 20, budget=90, **SETTINGS))
    assert 0 < len(found) < 60


def test_a_budget_without_a_map_says_so(pictures):
    with pytest.raises(SettingError, match=r"budget=1e-09: too few seconds for a first map"):
        preddiff.explain(Softmax(SHAPE), pictures[0], targets=1, sets=500, budget=1e-9)
    with pytest.raises(SettingError, match="budget=0: expected seconds above 0"):
        preddiff.explain(Softmax(SHAPE), pictures[0], budget=0)
