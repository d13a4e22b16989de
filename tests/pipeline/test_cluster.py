"""Workers of a Dask cluster come to the numbers of one process, also when they die."""

import os
import re
import signal
import threading
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from typer.testing import CliRunner

import preddiff
from preddiff import cli
from preddiff.errors import EngineWarning, InputError, ModelError, SettingError
from preddiff.models.function import Function
from preddiff.pipeline.cluster import scheduler
from preddiff.pipeline.cluster.scheduler import connected
from preddiff.pipeline.cluster.workers import workers_of
from preddiff.samplers import Marginal

SHAPE = (3, 12, 12)
SETTINGS = {"targets": 1, "window": 4, "stride": 2, "samples": 4, "sampler": "blurred"}
OF_SETS = {"window": 4, "sets": 120, "sampler": "blurred"}
ARRAYS = ("relevance", "standard_error", "evidence", "evidence_error", "importance", "prediction")


@pytest.fixture(scope="module")
def client():
    with connected("local:2", None) as client:
        yield client


@pytest.fixture
def pictures(rng):
    return [rng.random(SHAPE).astype(np.float32) for _ in range(3)]


def classifier(in_worker=lambda: None):
    """A model that is sent by value; something happens where it runs in a worker."""
    here, weights = os.getpid(), np.random.default_rng(1).normal(size=(432, 3)) / 20

    def softmax(inputs):
        if os.getpid() != here:
            in_worker()
        exponent = np.exp(inputs.reshape(len(inputs), -1) @ weights)
        return exponent / exponent.sum(axis=1, keepdims=True)

    return Function(softmax)


def check_same(found, expected):
    for name in ARRAYS:
        np.testing.assert_array_equal(found.data[name], expected.data[name], name)
    for fact in ("engine", "precision", "batch", "evaluations", "relative_error"):
        assert found.provenance[fact] == expected.provenance[fact]


@pytest.mark.parametrize(
    "settings", [SETTINGS, {**SETTINGS, "samples": 8, "tolerance": 0.2}, OF_SETS]
)
def test_two_workers_come_to_the_arrays_of_one_process(client, pictures, settings):
    model = classifier()
    several = preddiff.explain_many(model, pictures, client=client, **settings)
    for picture, found in zip(pictures, several, strict=True):
        check_same(found, preddiff.explain(model, picture, **settings))
    check_same(
        preddiff.explain(model, pictures[0], client=client, **settings),
        preddiff.explain(model, pictures[0], **settings),
    )


def test_boxes_of_a_network_are_recomputed_there(client, rng):
    """With as many threads as workers have: the last bits depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 22 * 22, 3)
        network = preddiff.load_model(nn.Sequential(*layers).eval(), output="logits")
        picture = rng.random((3, 24, 24)).astype(np.float32)
        settings = {**SETTINGS, "engine": "incremental"}
        found = preddiff.explain(network, picture, client=client, **settings)
        assert found.provenance["engine"] == "incremental"
        check_same(found, preddiff.explain(network, picture, **settings))
    finally:
        torch.set_num_threads(before)


def test_a_worker_that_is_killed_costs_nothing(client, pictures, tmp_path):
    def die_once():
        calls = len(list(tmp_path.iterdir()))
        (tmp_path / str(calls)).touch()
        if calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    model = classifier(die_once)
    several = list(preddiff.explain_many(model, pictures, client=client, **OF_SETS))
    assert (tmp_path / "2").exists()
    for picture, found in zip(pictures, several, strict=True):
        check_same(found, preddiff.explain(model, picture, **OF_SETS))


def test_what_was_begun_here_goes_on_there(client, pictures, tmp_path):
    model, path = classifier(), tmp_path / "a.npz"
    part = preddiff.explain(
        model, pictures[0], checkpoint=path, callback=lambda _so_far: True, **SETTINGS
    )
    assert part.is_partial
    found = preddiff.explain(model, pictures[0], checkpoint=path, client=client, **SETTINGS)
    check_same(found, preddiff.explain(model, pictures[0], **SETTINGS))
    assert not path.exists()


def test_one_input_that_fails_leaves_the_others_alone(client, pictures):
    inputs = [pictures[0], "nothing.png", pictures[1]]
    found = list(
        preddiff.explain_many(classifier(), inputs, client=client, return_errors=True, **SETTINGS)
    )
    kinds = [type(each) for each in found]
    assert kinds == [preddiff.Explanation, InputError, preddiff.Explanation]
    with pytest.raises(InputError, match=r"nothing\.png: no such file"):
        list(preddiff.explain_many(classifier(), inputs, client=client, **SETTINGS))


def test_what_workers_say_is_passed_on(client, pictures):
    def complain():
        warnings.warn(EngineWarning("a worker is slow", "it has a cold"), stacklevel=1)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        preddiff.explain(classifier(complain), pictures[0], client=client, **SETTINGS)
    said = [each.message for each in caught if issubclass(each.category, EngineWarning)]
    assert ("a worker is slow", "it has a cold") in [(str(each), each.why) for each in said]


def test_the_model_is_sent_once(client, pictures, monkeypatch):
    sent = []
    hold = workers_of(client)._hold
    monkeypatch.setattr(
        workers_of(client), "_hold", lambda each: (sent.append(len(each.data)), hold(each))[1]
    )
    model = classifier()
    several = preddiff.explain_many(model, pictures, client=client, **SETTINGS)
    assert len(list(several)) == 3
    assert len(sent) == 2 + 3  # model, sampler, inputs


def test_what_cannot_be_sent_or_loaded_is_said_in_one_line(client, pictures):
    lock = threading.Lock()

    def unsendable():
        lock.acquire()

    with pytest.raises(ModelError, match=r"softmax cannot be sent to workers \(cannot pickle '_"):
        preddiff.explain(classifier(unsendable), pictures[0], client=client, **SETTINGS)
    with pytest.raises(SettingError, match=r"client=3: expected a distributed\.Client"):
        preddiff.explain(classifier(), pictures[0], client=3, **SETTINGS)


def test_a_worker_without_the_modules_says_so(client, pictures):
    class Here(Function):
        def __reduce__(self):
            return __import__, ("nowhere_to_be_found",)

    here = Here(classifier().call)
    with pytest.raises(ModelError, match=r"a worker cannot load .* \(No module named 'nowhere_to"):
        preddiff.explain(here, pictures[0], client=client, **SETTINGS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({**OF_SETS, "stride": 4}, "120 sets of windows × 1 draw"),
        ({"samples": 160}, "25 windows × 160 draws"),
    ],
)
def test_a_worker_forecasts_the_time(client, rng, pictures, settings, said, capsys):
    pool = Marginal(rng.random((160, *SHAPE)).astype(np.float32))
    asked = {"window": 4, "stride": 2, "sampler": pool, "targets": 1, **settings}
    preddiff.explain(classifier(), pictures[0], client=client, progress=True, **asked)
    assert re.search(rf"{said}.*, about \d+ s", capsys.readouterr().err)


def test_the_command_takes_a_scheduler(client, rng, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("a", "b"):
        Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)).save(f"{name}.png")
    (tmp_path / "bright.py").write_text(
        "import numpy as np\n"
        "def make():\n"
        "    return lambda x: np.stack([x.mean((1, 2, 3)), 1 - x.mean((1, 2, 3))], axis=1)\n"
    )
    words = ["explain", "a.png", "nothing.png", "b.png", "--model", "bright:make", "--window", "4"]
    words += ["--stride", "4", "--sampler", "constant:0.5", "--results-only", "--samples", "1"]
    address = client.scheduler.address
    there = CliRunner().invoke(cli.app, [*words, "--scheduler", address, "-o", "there"])
    here = CliRunner().invoke(cli.app, [*words, "-o", "here"])
    assert (there.exit_code, here.exit_code) == (1, 1), there.output
    assert there.stdout.replace("there", "here") == here.stdout
    for name in ("a", "b"):
        check_same(preddiff.load(f"there/{name}.zarr"), preddiff.load(f"here/{name}.zarr"))
    again = CliRunner().invoke(cli.app, [*words, "--scheduler", address, "-o", "there", "--resume"])
    assert again.output.count("finished before") == 2


def test_a_scheduler_that_does_not_answer_is_one_line_in_a_short_time(monkeypatch, tmp_path):
    monkeypatch.setattr(scheduler, "_SECONDS_TO_ANSWER", 0.2)
    for given, file, expected in (
        (
            "tcp://127.0.0.1:1",
            None,
            r"tcp://127\.0\.0\.1:1: no scheduler answers there",
        ),
        ("local:0", None, r"--scheduler 'local:0': expected local:N"),
        (
            "127.0.0.1:8786",
            None,
            r"'127\.0\.0\.1:8786': expected local:N .* an address",
        ),
        (None, tmp_path / "no.json", r"--scheduler-file .*no\.json: no such file"),
        ("local:2", tmp_path / "no.json", "expected one of them"),
    ):
        with pytest.raises(SettingError, match=expected), connected(given, file):
            raise AssertionError("connected")


def test_a_scheduler_on_this_machine_listens_on_this_machine_only(client):
    addresses = [client.scheduler.address, *workers_of(client).addresses]
    assert all(each.startswith("tcp://127.0.0.1:") for each in addresses)
