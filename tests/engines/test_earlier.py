"""What earlier runs found of boxes: less work for later ones, and the same numbers."""

import math
import re
import warnings

import numpy as np
import pytest
from torch import nn

import preddiff
from engines.test_choice import Untraceable
from preddiff.engines import choice
from preddiff.engines.incremental import Incremental, check
from preddiff.errors import EngineWarning
from preddiff.media import kept
from preddiff.models.networks.network import Network
from preddiff.models.networks.structure import structure
from preddiff.pipeline import analysis
from small_networks import conv


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path, monkeypatch):
    monkeypatch.setenv(kept.FOLDER_VARIABLE, str(tmp_path / "kept"))


@pytest.fixture
def compared(monkeypatch):
    """The number of draws of each comparison with whole passes."""
    counts = []
    right = check.deviation

    def counting(engine, starts, draws):
        counts.append(draws.shape[0] * draws.shape[1])
        return right(engine, starts, draws)

    monkeypatch.setattr(check, "deviation", counting)
    return counts


def test_boxes_that_were_right_are_checked_on_fewer_windows(rng, small_network, compared):
    pictures = rng.random((2, 3, 16, 16)).astype(np.float32)
    first, second = (preddiff.explain(small_network, each, window=4) for each in pictures)
    assert compared[1] < compared[0] / 5
    assert first.provenance["engine"] == second.provenance["engine"] == "incremental"
    preddiff.explain(small_network, pictures[0], window=5)
    assert compared[2] == compared[0]


def test_a_later_run_says_how_long_the_check_and_the_set_up_take(
    rng, small_network, capsys, monkeypatch
):
    monkeypatch.setattr(analysis, "_WORTH_NAMING", 0.0)
    picture = rng.random((3, 16, 16)).astype(np.float32)
    for expected in ("on a few windows…", "on a few windows, about "):
        preddiff.explain(small_network, picture, window=4, samples=2, progress=True)
        check, forecast, *_ = capsys.readouterr().err.splitlines()
        assert check.startswith(f"Checking the engine {expected}")
        assert re.search(r"= 338 draws \(incremental engine\).*; set-up took \d+ s$", forecast)


def test_nothing_kept_changes_no_number(rng, small_network):
    picture = rng.random((3, 16, 16)).astype(np.float32)
    first, second = (preddiff.explain(small_network, picture, window=4) for _ in range(2))
    np.testing.assert_array_equal(first.evidence, second.evidence)
    for name in ("engine", "precision", "batch"):
        assert first.provenance[name] == second.provenance[name]


def test_what_cannot_be_traced_is_said_again_but_not_tried_again(rng, monkeypatch):
    picture = rng.random((3, 12, 12)).astype(np.float32)
    network = Untraceable().eval()
    tried = []
    init = Incremental.__init__

    def trying(self, *arguments):
        tried.append(1)
        init(self, *arguments)

    monkeypatch.setattr(Incremental, "__init__", trying)
    for expected in (1, 1):
        with pytest.warns(EngineWarning, match="as the network cannot be traced"):
            e = preddiff.explain(network, picture, window=5, samples=2)
        assert e.provenance["engine"] == "dense"
        assert len(tried) == expected
    with pytest.warns(EngineWarning, match="cannot be traced"):
        preddiff.explain(network, picture, window=5, samples=2, engine="incremental")
    assert len(tried) == 2  # who asks for it gets a try


def test_boxes_that_turn_out_wrong_are_checked_in_full_again(
    rng, small_network, compared, monkeypatch
):
    pictures = rng.random((3, 3, 16, 16)).astype(np.float32)
    preddiff.explain(small_network, pictures[0], window=4)
    with monkeypatch.context() as broken:
        broken.setattr(choice, "_wrong", lambda *_, **__: "somewhere (1e-2)")
        with pytest.warns(EngineWarning, match="went wrong at somewhere"):
            preddiff.explain(small_network, pictures[1], window=4)
    preddiff.explain(small_network, pictures[2], window=4)
    assert compared == [compared[0], compared[0]]


def test_few_draws_are_made_by_whole_passes_without_a_check(rng, small_network, compared):
    picture = rng.random((3, 16, 16)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        e = preddiff.explain(small_network, picture, window=4, stride=4, samples=2)
    assert (e.provenance["engine"], compared) == ("dense", [])
    e = preddiff.explain(
        small_network, picture, window=4, stride=4, samples=2, engine="incremental"
    )
    assert e.provenance["engine"] == "incremental"


def test_nothing_is_checked_where_nothing_is_saved(rng, compared):
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 8), nn.ReLU(), nn.Linear(8, 4))
    picture = rng.random((3, 16, 16)).astype(np.float32)
    assert preddiff.explain(module.eval(), picture, window=4).provenance["engine"] == "dense"
    assert compared == []


def test_the_structure_of_a_network_is_its_code_too():
    def of(forward, **settings):
        kind = type("Mine", (nn.Module,), {"forward": forward})
        module = kind()
        module.layer = conv(3, 4, **settings)
        return structure(module)

    plain = of(lambda self, x: self.layer(x))
    assert plain == of(lambda self, x: self.layer(x))
    assert plain != of(lambda self, x: self.layer(x) + 1)
    assert plain != of(lambda self, x: self.layer(x), stride=2)


@pytest.mark.parametrize(
    ("boxes", "taken"), [(1.0, "incremental"), (1.1, "incremental"), (1.3, "dense")]
)
def test_whole_passes_that_are_clearly_faster_are_timed_once(
    rng, small_network, monkeypatch, boxes, taken
):
    timed = []

    def seconds(engines, *_):
        timed.append([each.name for each in engines])
        return [1.0, boxes]

    monkeypatch.setattr(choice, "least_seconds_per_draw", seconds)
    for limit in ("_PASSES_WORTH_EXPORTING", "_DRAWS_WORTH_TIMING"):
        monkeypatch.setattr(choice, limit, 0)
    monkeypatch.setattr(choice, "_SURELY_SAVED", math.inf)
    for picture in rng.random((2, 3, 16, 16)).astype(np.float32):
        e = preddiff.explain(small_network, picture, window=4, stride=2)
        assert e.provenance["engine"] == taken
        assert e.provenance.get("runtime", "torch").startswith(
            "onnxruntime " if taken == "dense" else "torch"
        )
    assert timed == [["dense", "incremental"]]
    asked = preddiff.explain(small_network, picture, window=4, stride=2, engine="incremental")
    assert asked.provenance["engine"] == "incremental"
    by_torch = asked if taken == "incremental" else e
    np.testing.assert_allclose(by_torch.evidence, asked.evidence, atol=1e-4)


def test_whole_passes_go_on_by_the_runtime_that_began_them(rng, small_network, monkeypatch):
    monkeypatch.setattr(choice, "_PASSES_WORTH_EXPORTING", 0)
    network = Network(small_network)
    task = choice.Task(
        network, rng.random((3, 16, 16), dtype=np.float32), [0], None, (4, 4),
        np.zeros((1, 2), np.int64), np.zeros((1, 1, 3, 4, 4), np.float32), lambda v: v, 2000,
    )  # fmt: skip
    facts = choice.choose(task, "dense", runtime="onnxruntime 1.0").facts
    assert facts["runtime"].startswith("onnxruntime ")
    assert "runtime" not in choice.choose(task, "dense", runtime="torch").facts
