"""Settings own defaults, coercion and validation; the front doors agree with them."""

import inspect
import math
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.cli.explain import explain as command
from preddiff.errors import SettingError
from preddiff.pipeline.settings import Question, Sampling, Settings, Work

PARTS = (Question, Sampling, Work)
DEFAULTS = {each.name: each.default for part in PARTS for each in fields(part)}
NOT_SETTINGS = {"model", "picture", "progress", "checkpoint", "callback", "client", "settings"}
# Options of the command line that are called otherwise, or that only Python has.
RENAMED = {"target": "targets", "baseline": "baselines"}
ONLY_PYTHON = {"memory"}
ONLY_COMMAND = {
    "labels",
    "overwrite",
    "inputs",
    "table",
    "summary",
    "results_only",
    "model",
    "preprocess",
    "model_mask",
    "order",
    "output",
    "output_key",
    "paper",
    "resume",
    "live",
    "scheduler",
    "scheduler_file",
    "verbose",
}


def test_explain_has_exactly_these_settings_and_defaults():
    parameters = inspect.signature(preddiff.explain).parameters
    found = {n: p.default for n, p in parameters.items() if n not in NOT_SETTINGS}
    assert found == DEFAULTS


def test_the_command_line_has_them_too():
    parameters = inspect.signature(command).parameters
    found = {RENAMED.get(n, n): p.default for n, p in parameters.items() if n not in ONLY_COMMAND}
    assert set(found) == set(DEFAULTS) - ONLY_PYTHON
    for name, default in found.items():
        if default is not None:  # None: the setting's own default, as its help says
            assert default == DEFAULTS[name], name


@pytest.fixture
def small(rng):
    picture = rng.random((3, 24, 24))
    return Softmax(picture.shape), picture


@pytest.mark.parametrize(("side", "window", "stride"), [(24, 2, 1), (42, 3, 2), (10, 1, 1)])
def test_a_picture_without_a_word_on_sampling_gets_the_recommended_one(side, window, stride, rng):
    picture = rng.random((3, side + 6, side))
    facts = preddiff.explain(Softmax(picture.shape), picture, targets=[1], seed=3).provenance
    found = [facts[name] for name in ("sampler", "sets", "window", "stride", "samples")]
    assert found == ["blurred", 1000, window, stride, 1]


def test_the_recommended_windows_of_a_usual_network_have_16_pixels():
    found = Settings.of(seed=3).over(volume=False, side=224).sampling
    assert (found.window, found.stride, found.seed) == (16, 8, 3)


@pytest.mark.parametrize(
    "named",
    [
        {"settings": preddiff.PAPER},
        {"sampler": "conditional"},
        {"samples": 10},
        {"stride": 1},
        {"margin": 2, "window": 10},
        {"precision": "float32"},
    ],
)
def test_whoever_names_a_part_of_the_sampling_gets_the_papers(small, named):
    facts = preddiff.explain(*small, targets=[1], **{"window": 10} | named).provenance
    assert facts["sets"] == ""
    assert (facts["window"], facts["stride"], facts["samples"]) == (10, 1, 10)
    assert facts["sampler"] == "conditional"


def test_the_call_goes_before_the_preset(small):
    e = preddiff.explain(*small, window=4, samples=2, settings=preddiff.PAPER)
    assert (e.provenance["window"], e.provenance["samples"]) == (4, 2)


@pytest.mark.parametrize(
    ("preset", "message"),
    [("paper", "expected preddiff.PAPER"), ({"engine": "dense"}, "'engine' is none of sampler")],
)
def test_what_is_no_preset_is_refused(small, preset, message):
    with pytest.raises(SettingError, match=message):
        preddiff.explain(*small, settings=preset)


def test_numbers_of_numpy_become_those_of_python():
    settings = Settings.of(
        window=np.int64(4), seed=np.uint8(3), tolerance=np.float32(0.3), resample=np.bool_(True),
        train_size=np.int32(100), memory=np.float64(2**20),
    )  # fmt: skip
    flat = {**vars(settings.question), **vars(settings.sampling), **vars(settings.work)}
    for name, kind in {
        "window": int, "seed": int, "tolerance": float, "resample": bool, "train_size": float,
        "memory": int,
    }.items():  # fmt: skip
        assert type(flat[name]) is kind, name
    assert flat["tolerance"] == pytest.approx(0.3)


def test_they_can_be_explained_with(rng):
    picture = rng.random((3, 8, 8))
    e = preddiff.explain(
        Softmax(picture.shape), picture, window=np.int32(4), tolerance=np.float32(0.3),
        checkpoint=None, progress=None,
    )  # fmt: skip
    assert e.provenance["tolerance"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"window": 0}, "window=0: expected a whole number of at least 1"),
        ({"window": 2.5}, "window=2.5: expected a whole number"),
        ({"samples": True}, "samples=True: expected a whole number"),
        (
            {"window": "tile"},
            "window='tile': expected a whole number, one for each axis such as 3x5x5",
        ),
        ({"window": "unit"}, "window='unit': is of a hidden node: say which with source="),
        ({"window": "unit", "source": "a", "stride": 2}, "stride=2: every unit is hidden; leave"),
        ({"tolerance": 1}, "tolerance=1: expected a relative error above 0 and below 1"),
        ({"tolerance": "0.3"}, "tolerance='0.3': expected a relative error above 0"),
        ({"tolerance": math.nan}, "tolerance=nan: expected a relative error above 0"),
        ({"train_size": "100"}, "train_size='100': expected more than 0 examples, as a number"),
        ({"train_size": 0}, "train_size=0: expected more than 0 examples"),
        ({"memory": "1GB"}, "memory='1GB': expected a number of bytes above 0"),
        ({"resample": "yes"}, "resample='yes': expected True or False"),
        ({"baselines": "gradcam"}, "baselines='gradcam': expected some of .*; nearest: grad_cam"),
        ({"baselines": None}, "baselines=None: expected some of sensitivity"),
        ({"engine": "fast"}, "engine='fast': expected one of auto, incremental, dense, linear"),
        ({"precision": "int8"}, "precision='int8': expected one of auto, float32, bfloat16"),
        ({"node": 3}, "node=3: expected the name of a node"),
        ({"measure": 1}, "measure=1: expected the name of a measure"),
        ({"device": 0}, "device=0: expected cpu, cuda or mps"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(given, expected):
    with pytest.raises(SettingError, match=expected) as error:
        Settings.of(**given)
    assert "\n" not in str(error.value)


def test_progress_is_checked_before_the_work(rng):
    with pytest.raises(SettingError, match="progress='yes': expected True, False, or a function"):
        preddiff.explain(Softmax((3, 8, 8)), rng.random((3, 8, 8)), window=4, progress="yes")


def test_one_baseline_need_not_stand_in_a_list():
    assert Settings.of(baselines="occlusion").question.baselines == ("occlusion",)


def test_the_papers_windows_are_the_default():
    assert Sampling().over(volume=False).window == 10
    assert Sampling().over(volume=False, side=448).window == 10  # the paper's
    assert Sampling().over(volume=True).window == 3
    windows = [Sampling(sets=90).over(volume=False, side=n).window for n in (224, 448, 96, 5)]
    assert windows == [16, 32, 7, 1]
    assert Sampling(sets=90).over(volume=True, side=96).window == 6
    assert Sampling(window=5).over(volume=True).window == 5


def test_infinite_training_sets_are_numbers():
    assert Settings.of(train_size=math.inf).question.train_size == math.inf


def test_settings_are_checked_without_torch():
    code = "import sys, preddiff.pipeline.settings; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
