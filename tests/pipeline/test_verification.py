"""Verification and reruns: of every kind of result, and of results that somebody changed."""

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

import preddiff
from conftest import Softmax
from preddiff.errors import InputError, ModelError, ResultError, SamplerError, SettingError
from preddiff.models import Linear, load_model
from preddiff.pipeline.rerun import held_against
from preddiff.results.content import ATTRIBUTE, content_sha256
from preddiff.results.explanation import Explanation

SIDE = 16
EVERY = 10**6  # windows: all there are
MASK = np.zeros((SIDE, SIDE), dtype=bool)
MASK[2:11, 3:12] = True
POOL = np.random.default_rng(5).random((8, 3, SIDE, SIDE), dtype=np.float32)
KINDS = {
    "windows": {"window": 4, "samples": 3, "targets": "top2"},
    "stopped": {"window": 3, "samples": 8, "tolerance": 0.8},
    "masked": {"window": 4, "stride": 2, "samples": 2, "mask": MASK},
    "stopped and masked": {"window": 3, "samples": 8, "tolerance": 0.8, "mask": MASK},
    "sizes": {"window": (3, 6), "stride": 2, "samples": 2},
    "a length for each axis": {"window": "3x5", "stride": "2x3", "samples": 2},
    "sets of sizes for each axis": {"window": (4, "3x5"), "stride": 4, "sets": 720},
    "sets": {"window": 4, "sets": 120},
    "sets of sizes": {"window": (4, 8), "sets": 240},
    "masked sets": {"window": 4, "sets": 120, "mask": MASK},
    "regions": {"sets": 120, "regions": "4x4"},
    "masked regions": {"sets": 120, "regions": "4x4", "mask": MASK},
}


def sampler():
    return preddiff.samplers.Marginal(POOL)


@pytest.fixture(scope="module")
def model():
    return Softmax((3, SIDE, SIDE), scale=3.0)


@pytest.fixture(scope="module")
def explained(model):
    """A result of every kind, each made once."""
    made = {}

    def of(kind):
        if kind not in made:
            picture = np.random.default_rng(1).random((3, SIDE, SIDE), dtype=np.float32)
            made[kind] = preddiff.explain(model, picture, sampler=sampler(), **KINDS[kind])
        return made[kind]

    return of


def changed(explanation, name, where, by, *, hidden=False):
    """The explanation, one of its numbers changed; with the fingerprint that belongs to it."""
    values = explanation.data[name].values.copy()
    values[where] += by
    data = explanation.data.assign({name: explanation.data[name].copy(data=values)})
    return Explanation(signed(data)) if hidden else Explanation(data)


def signed(data):
    return data.assign_attrs({ATTRIBUTE: content_sha256(data)})


def failed(found):
    return [check.name for check in found.checks if check.passed is False]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_result_is_what_its_provenance_makes(kind, explained, model):
    explanation = explained(kind)
    found = preddiff.verify(explanation, EVERY, model=model, sampler=sampler())
    assert found.passed, found
    # Nothing but the fingerprint, which files have; and maps that follow from an unknown mask.
    unknown = [check.name for check in found.checks if check.passed is None]
    assert len(unknown) == 1 + (kind == "stopped and masked"), found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_result_is_made_again(kind, explained, model):
    explanation = explained(kind)
    mask = KINDS[kind].get("mask")
    again = preddiff.rerun(explanation, model=model, sampler=sampler(), mask=mask)
    xr.testing.assert_identical(again.data.drop_attrs(), explanation.data.drop_attrs())
    assert held_against(again, explanation).said == "bit for bit"
    told = {**explanation.provenance, "seconds": 0, "date": ""}
    assert {**again.provenance, "seconds": 0, "date": ""} == told


@pytest.mark.parametrize("kind", KINDS)
def test_one_changed_number_is_found(kind, explained, model):
    """By drawing again, as the fingerprint is changed with it, and so are the maps."""
    explanation = explained(kind)
    name = "set_evidence" if "set_evidence" in explanation.data else "evidence"
    given = {"model": model, "sampler": sampler()}
    wrong = changed(explanation, name, (0, 7), 1e-3, hidden=True)
    found = preddiff.verify(wrong, EVERY, **given)
    drawn = [check for check in found.checks if "drawn again" in check.name and not check.passed]
    assert len(drawn) == 1
    assert ("set 7" if name == "set_evidence" else "window 7 at") in drawn[0].said
    assert "1 differ" in drawn[0].said


@pytest.mark.parametrize("name", ["relevance", "standard_error", "importance", "importance_error"])
@pytest.mark.parametrize("kind", ["windows", "sizes", "sets"])
def test_maps_have_to_follow_from_the_evidence(kind, name, explained, model):
    wrong = changed(explained(kind), name, (0, 5, 6), 1e-3, hidden=True)
    found = preddiff.verify(wrong, 1, model=model, sampler=sampler())
    assert failed(found) == ["the maps follow from the evidence"]
    assert f"{name} at (5, 6)" in str(found)


def test_evidence_of_windows_has_to_follow_from_that_of_sets(explained, model):
    wrong = changed(explained("sets"), "evidence", (0, 3), 1e-3, hidden=True)
    found = preddiff.verify(wrong, 1, model=model, sampler=sampler())
    assert any("follows from that of 120 sets" in name for name in failed(found))


def test_a_file_that_was_changed_is_found_without_drawing_the_number_again(
    explained, model, tmp_path
):
    path = preddiff.save(explained("windows"), tmp_path / "a.zarr")
    given = {"model": model, "sampler": sampler(), "windows": 1}
    assert all(check.passed for check in preddiff.verify(path, **given).checks)
    stored = preddiff.load(path)
    for name, where in (("evidence", (1, 100)), ("prediction", 0), ("picture", (0, 0, 0))):
        found = preddiff.verify(changed(stored, name, where, 1e-3), **given)
        assert "the file is as it was written" in failed(found), name


def test_another_model_sampler_input_and_setting_are_found(explained, model, rng):
    explanation = explained("windows")
    given = {"model": model, "sampler": sampler(), "windows": 1}

    def facts(explanation=explanation, **others):
        found = preddiff.verify(explanation, **{**given, **others})
        return found.checks[1]

    assert facts().passed
    assert "the model's answer is" in facts(model=Softmax((3, SIDE, SIDE), 3, 3.0, seed=2)).said
    assert "the sampler is" in facts(sampler=preddiff.samplers.Marginal(POOL / 2)).said
    picture = explanation.picture.values
    assert facts(picture=picture).passed
    other = np.clip(picture + 0.01, 0, 1)
    assert "the input is" in facts(picture=other).said
    more = Explanation(explanation.data.assign_attrs(samples=9))
    assert "samples is 8, the result's is 9" in facts(more).said  # the pool has eight pictures
    masked = explained("masked")
    assert facts(masked, mask=MASK).passed
    smaller = MASK.copy()
    smaller[5, 5] = False  # all windows still touch it
    assert "the mask is" in facts(masked, mask=smaller).said
    seed = Explanation(explanation.data.assign_attrs(seed=1))
    assert len(failed(preddiff.verify(seed, **given))) == 1


def test_what_a_result_names_is_not_run_or_read(explained):
    """A result may be a stranger's: no function of a module is called because it says so."""
    data = explained("windows").data
    for name in ("os:getcwd", "../net.onnx", "torchvision:resnet18@/etc/weights.pt", "function"):
        with pytest.raises(ModelError, match=r"name it \(model=, --model\)"):
            preddiff.verify(Explanation(data.assign_attrs(model=name)))
    named = Explanation(data.assign_attrs(sampler="marginal:/home/photos"))
    with pytest.raises(SamplerError, match=r"name it \(sampler=, --sampler\)"):
        preddiff.verify(named, model=load_model(Softmax((3, SIDE, SIDE))))


def test_what_cannot_be_verified_or_run_again_is_said(explained, model):
    given = {"model": model, "sampler": sampler()}
    with pytest.raises(SettingError, match="windows=0"):
        preddiff.verify(explained("windows"), 0, **given)
    with pytest.raises(InputError, match="name the mask"):
        preddiff.rerun(explained("stopped and masked"), **given)
    partial = Explanation(explained("windows").data.assign_attrs(partial=True))
    with pytest.raises(ResultError, match="stopped before its end"):
        preddiff.rerun(partial, **given)
    older = Explanation(explained("sets").data.drop_vars("set_evidence"))
    with pytest.raises(ResultError, match="holds no evidence of its sets"):
        preddiff.verify(older, **given)
    moved = changed(explained("masked"), "window_start", (0, 0), 1, hidden=True)
    with pytest.raises(ResultError, match="windows that its own settings do not make"):
        preddiff.verify(moved, mask=MASK, **given)


def test_hidden_nodes_units_and_closed_forms_are_verified_too(rng):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 100, 3)]
    network = load_model(nn.Sequential(*layers).eval(), output="logits")
    x = rng.random((3, 12, 12), dtype=np.float32)
    ways = [
        {"node": "0", "targets": ["1:2,3", "0"], "sampler": "constant:0.5", "window": 4},
        {"node": "0", "targets": [1], "sampler": "constant:0.5", "window": 4},
        {"source": "0", "window": "channel", "sampler": "constant:0"},
        {"source": "0", "window": 2, "stride": 3, "sampler": "constant:0"},
    ]
    for how in ways:
        explanation = preddiff.explain(network, x, **how)
        found = preddiff.verify(explanation, EVERY, model=network)
        assert found.passed, (how, found)
        assert explanation.provenance["preprocessing"] == repr(network.preprocessing)
    linear = Linear(rng.normal(size=(2, 3, 12, 12)), np.zeros(2))
    explanation = preddiff.explain(linear, x, sampler="constant:0.5", window=4)
    found = preddiff.verify(explanation, EVERY, model=linear)
    assert found.passed, found
    assert explanation.provenance["engine"] == "closed form"
