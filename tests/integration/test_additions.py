"""Samplers, sources of models and baselines of other packages, by entry points."""

import numpy as np
import pytest

import preddiff
from preddiff.errors import ModelError, SamplerError, SettingError

CODE = """
import numpy as np
from preddiff.baselines.base import Baseline
from preddiff.models.function import Function
from preddiff.samplers import Constant

def sampler(argument, context):
    return Constant(float(argument))

def model(spec, request):
    request.refuse(spec)
    part = int(spec.partition(":")[2])
    def call(x):
        p = x.mean((1, 2, 3)) / part
        return np.stack([p, 1 - p], axis=1)
    found = Function(call)
    found.spec = spec
    return found

def compute(task):
    return np.ones((len(task.targets), *task.inputs.shape[1:]))

ONES = Baseline("ones", "Ones", False, compute)
OTHER = "no model"
"""
ENTRIES = """
[preddiff.samplers]
grey = additional:sampler
gone = additional:nothing
constant = additional:nothing

[preddiff.models]
share = additional:model
broken = additional:OTHER
embedded = additional:OTHER

[preddiff.baselines]
ones = additional:ONES
twos = additional:ONES
"""


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """A package as pip would have installed it."""
    (tmp_path / "additional.py").write_text(CODE)
    about = tmp_path / "additional-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: additional\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def picture(rng):
    return rng.random((3, 12, 12), dtype=np.float32)


def test_all_three_kinds_are_found_by_name(picture):
    e = preddiff.explain("share:2", picture, sampler="grey:0.5", window=4, baselines="ones")
    same = preddiff.explain(
        preddiff.load_model("share:2"), picture, sampler="constant:0.5", window=4
    )
    np.testing.assert_array_equal(e.relevance, same.relevance)
    assert (e.provenance["model"], e.provenance["sampler"]) == ("share:2", "grey:0.5")
    assert (e.baselines["ones"].values == 1).all()


def test_what_cannot_be_had_is_said(picture):
    with pytest.raises(SamplerError, match="gone: additional has it as additional:nothing, which"):
        preddiff.explain("share:2", picture, sampler="gone:1")
    with pytest.raises(ModelError, match="broken:1: additional:OTHER gave 'no model': expected a"):
        preddiff.load_model("broken:1")
    with pytest.raises(SettingError, match="'twos': the entry point is Baseline.*expected a Base"):
        preddiff.explain("share:2", picture, sampler="grey:0.5", window=4, baselines="twos")


def test_messages_list_them(picture):
    with pytest.raises(SamplerError, match="constant:mean, grey, gone"):
        preddiff.explain("share:2", picture, sampler="gray:0.5")
    with pytest.raises(ModelError, match="share:…"):
        preddiff.load_model("nothing")
    with pytest.raises(SettingError, match="occlusion, ones, twos.*nearest: ones"):
        preddiff.explain("share:2", picture, baselines="one")


def test_a_result_does_not_choose_which_of_them_runs(picture):
    e = preddiff.explain("share:2", picture, sampler="grey:0.5", window=4)
    with pytest.raises(ModelError, match="model 'share:2': is not loaded because a result says so"):
        preddiff.verify(e)
    with pytest.raises(SamplerError, match="sampler 'grey:0.5': is not read because a result says"):
        preddiff.verify(e, model="share:2")
    assert preddiff.verify(e, model="share:2", sampler="grey:0.5").passed
