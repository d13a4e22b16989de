"""Windows of several sizes in one explanation."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import preddiff
from conftest import Softmax
from preddiff.errors import SettingError
from preddiff.pipeline.settings import Sampling, Settings
from preddiff.results import checkpoint
from preddiff.results.combination import combined
from preddiff.samplers import Constant

WINDOW = {"samples": 4, "margin": 1, "targets": [0, 1]}
PICTURE = np.random.default_rng(3).random((3, 15, 16)).astype(np.float32)
MODEL = Softmax(PICTURE.shape)


def of(window, **further):
    return preddiff.explain(MODEL, PICTURE, window=window, **{**WINDOW, **further})


def test_each_size_is_analysed_by_itself():
    """The draws of the first size are its own; those of the others follow from other seeds."""
    parts = [of(3), of(6, seed=Sampling(window=(3, 6)).parts[1].seed)]
    xr.testing.assert_identical(of((3, 6)).relevance, combined(parts).relevance)
    xr.testing.assert_identical(of((3, 6)).data.drop_attrs(), combined(parts).data.drop_attrs())
    assert of((3, 6)).provenance["seed"] == 0


@settings(max_examples=12, deadline=None)
@given(window=st.integers(1, 15), seed=st.integers(0, 2**63 - 1), sets=st.sampled_from([None, 300]))
def test_one_size_in_a_tuple_is_that_size(window, seed, sets):
    chosen = {"sampler": Constant(0.5), "seed": seed, "sets": sets}
    one, listed = of(window, **chosen), of((window,), **chosen)
    for name in one.data.variables:
        np.testing.assert_array_equal(one.data[name].values, listed.data[name].values)
    changing = ("seconds", "date")
    sides = ({k: v for k, v in e.provenance.items() if k not in changing} for e in (one, listed))
    assert next(sides) == next(sides)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ((), r"window=\(\): expected lengths of windows, each once"),
        ((4, 4), r"window=\(4, 4\): expected lengths of windows, each once"),
        ((4, 0), "window=0: expected a whole number of at least 1"),
        ((4, 2.5), "window=2.5: expected a whole number"),
        ((4, "channel"), "channel and unit are not among several sizes"),
        ("4;6", "expected a whole number, one for each axis such as 3x5x5"),
        ((4, 30), "window 30×30 does not fit into an input of 15×16"),
    ],
)
def test_what_is_no_list_of_sizes_is_refused_before_the_work_starts(window, message):
    visited = []
    with pytest.raises(SettingError, match=message):
        of(window, progress=lambda *done: visited.append(done))
    assert not visited


def test_sizes_share_the_sets_and_have_seeds_of_their_own():
    parts = Settings.of(window=[2, 4, 8], sets=100, seed=2**63 - 1).parts
    assert [each.sampling.window for each in parts] == [2, 4, 8]
    assert [each.sampling.sets for each in parts] == [34, 34, 34]
    assert [each.sampling.step for each in parts] == [2, 4, 8]
    assert len({each.sampling.seed for each in parts}) == 3
    assert all(0 <= each.sampling.seed < 2**63 for each in parts)
    e = of((3, 5), sets=600, sampler=Constant(0.5), samples=None)
    assert (e.provenance["sets"], e.provenance["stride"]) == (600, "3, 5")
    assert np.isfinite(e.relevance).all() == (e.coverage > 0).all()


def test_the_map_so_far_is_of_the_sizes_so_far_and_stops_the_others():
    seen = []

    def stop(explanation):
        seen.append(explanation.provenance["window"])
        return seen[-1] == "2, 4"

    e = of((2, 4, 6), callback=stop)
    assert seen == [2, "2, 4"]
    assert e.provenance["window"] == "2, 4"
    assert e.data.sizes["window"] < e.provenance["windows"]


@pytest.mark.parametrize("kept", [True, False])
def test_interrupted_it_goes_on_where_it_was(tmp_path, monkeypatch, kept):
    monkeypatch.setattr(checkpoint, "_SHARE_OF_TIME", 1.0)
    path = tmp_path / "cat.npz"
    calls = 0

    def fragile(inputs):
        nonlocal calls
        calls += len(inputs)
        if len(inputs) > 1 and calls > 900:
            raise KeyboardInterrupt
        return MODEL(inputs)

    def run(model):
        where = checkpoint.UntilSaved(path) if kept else path
        e = preddiff.explain(model, PICTURE, window=(3, 6), checkpoint=where, **WINDOW)
        return e, where

    with pytest.raises(KeyboardInterrupt):
        run(fragile)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cat-3.npz", "cat-6.npz"]
    calls = -10_000
    again, where = run(fragile)
    whole = of((3, 6))
    assert calls + 10_000 < whole.provenance["evaluations"] - 728  # the first size was done
    np.testing.assert_array_equal(again.relevance, whole.relevance)
    if kept:
        where.remove()
    assert not list(tmp_path.iterdir())
