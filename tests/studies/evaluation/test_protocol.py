"""The protocol: which pictures, what is done again, and what goes on when something fails."""

import numpy as np
import pytest
from PIL import Image

from preddiff import load_model
from preddiff.errors import InputError
from preddiff.studies.evaluation import protocol
from preddiff.studies.evaluation.contenders import Contender
from preddiff.studies.evaluation.controls import random, sobel
from preddiff.studies.evaluation.protocol import Evaluation, evaluate, pictures_of
from preddiff.studies.evaluation.scores import ScoreFile
from preddiff.studies.evaluation.table import tables

SIDE = 28
COLOURS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], dtype=np.float32)


def likeness(inputs):
    """Four classes, by how much of the picture has each colour; sure where one has it all."""
    logits = 40 * (inputs.mean(axis=(2, 3)) - 0.5) @ (COLOURS - 0.5).T
    exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponent / exponent.sum(axis=1, keepdims=True)


def colourful(model, picture, target, seed):
    """Marks what has the target's colour."""
    return np.tensordot(COLOURS[target] - 0.5, picture.astype(np.float64) - 0.5, axes=1)


def failing(model, picture, target, seed):
    raise ValueError("not of this picture\nmore")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    for n in range(16):
        colour = tuple(int(255 * c) for c in COLOURS[n // 2 % 4])
        Image.new("RGB", (SIDE, SIDE), colour).save(tmp_path / "pictures" / f"{n:02}.png")
    return tmp_path / "pictures"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A model by any name, and contenders that cost nothing."""
    model = load_model(likeness)
    monkeypatch.setattr(protocol, "load_model", lambda _spec: model)
    made = {
        "grad_cam": Contender("grad_cam", "", colourful),
        "lime": Contender("lime", "", failing),
        "sobel": Contender("sobel", "", sobel),
        "random": Contender("random", "", random, is_random=True),
    }
    monkeypatch.setattr(protocol, "CONTENDERS", made)
    return made


def evaluation(folder, **changes):
    settings = {
        "specs": ["colours"],
        "folder": folder,
        "half": "choose",
        "count": 5,
        "contenders": ["grad_cam", "lime", "sobel", "random"],
        "metrics": ["flipping:grey", "pointing", "stability"],
    }
    return Evaluation(**settings | changes)


def test_halves_share_no_picture(folder):
    choose, report = (pictures_of(folder, half) for half in ("choose", "report"))
    assert len(choose) == len(report) == 8
    assert not set(choose) & set(report)


def test_mosaics_are_made_of_all_sure_pictures_of_the_half(folder, tmp_path):
    """The first two pictures alone are too few."""
    file = ScoreFile(tmp_path / "scores.jsonl")
    evaluate(evaluation(folder, count=2, metrics=["pointing"], contenders=["grad_cam"]), file)
    assert [sorted(score.scores) for score in file.scores.values()] == [["pointing"]] * 2


def test_every_contender_has_every_score(folder, tmp_path):
    file, told = ScoreFile(tmp_path / "scores.jsonl"), []
    evaluate(evaluation(folder), file, told.append)
    assert len(file.scores) == 5 * 4 * 3
    assert told == list(file.scores.values())
    names = {score.contender: set() for score in told}
    for score in told:
        names[score.contender] |= set(score.scores)
    flipped = {"SRG grey", "insertion grey", "deletion grey"}
    assert names["grad_cam"] == flipped | {"pointing"}
    assert names["random"] == flipped | {"pointing", "between seeds"}


def test_a_map_that_knows_the_colours_points_and_noise_does_not(folder, tmp_path):
    file = ScoreFile(tmp_path / "scores.jsonl")
    evaluate(evaluation(folder, metrics=["pointing"]), file)
    found = {"grad_cam": [], "random": []}
    for score in file.scores.values():
        if score.contender in found:
            found[score.contender].append(score.scores["pointing"])
    assert min(found["grad_cam"]) > 0.5
    assert found["random"] == pytest.approx([0.25] * 5, abs=0.03)


def test_a_contender_that_fails_is_reported_and_the_others_go_on(folder, tmp_path):
    file = ScoreFile(tmp_path / "scores.jsonl")
    evaluate(evaluation(folder), file)
    failed = [score for score in file.scores.values() if score.error]
    assert {score.contender for score in failed} == {"lime"}
    assert {score.error for score in failed} == {"ValueError: not of this picture"}
    text = tables(file.scores.values(), "grad_cam")
    assert "- lime failed on 5 pictures (flipping:grey, pointing): ValueError" in text


def test_where_a_metric_does_not_apply_no_map_is_made(folder, tmp_path, small, monkeypatch):
    monkeypatch.setattr(protocol, "SURE", 2.0)  # of no picture, so that there is no mosaic
    small["grad_cam"] = Contender("grad_cam", "", failing)
    told = []
    chosen = evaluation(folder, metrics=["pointing"], contenders=["grad_cam"])
    evaluate(chosen, ScoreFile(tmp_path / "scores.jsonl"), told.append)
    assert [(score.scores, score.error, score.seconds) for score in told] == [({}, "", 0.0)] * 5
    assert tables(told, "grad_cam").count("|") == 0


def test_an_interrupted_run_goes_on_to_the_same_table(folder, tmp_path):
    whole, parts = ScoreFile(tmp_path / "whole.jsonl"), ScoreFile(tmp_path / "parts.jsonl")
    evaluate(evaluation(folder), whole)
    done = []

    def interrupt(score):
        done.append(score)
        if len(done) == 17:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(evaluation(folder), parts, interrupt)
    again = ScoreFile(parts.path)
    assert len(again.scores) == 17
    evaluate(evaluation(folder), again)

    def table(file):
        text = tables(ScoreFile(file.path).scores.values(), "grad_cam")
        # The last column is how long maps took, which is not the same twice.
        return [line.rsplit("|", 2)[0] for line in text.splitlines()]

    assert table(again) == table(whole)


def test_nothing_known_is_done_again(folder, tmp_path, small):
    file = ScoreFile(tmp_path / "scores.jsonl")
    evaluate(evaluation(folder, contenders=["grad_cam"]), file)
    small["grad_cam"] = Contender("grad_cam", "", failing)
    told = []
    evaluate(evaluation(folder, contenders=["grad_cam"]), ScoreFile(file.path), told.append)
    assert told == []
    more = evaluation(folder, contenders=["grad_cam"], count=6)
    evaluate(more, ScoreFile(file.path), told.append)
    assert {score.picture for score in told} == {"10.png"}


def test_a_map_of_another_shape_or_with_gaps_is_refused(folder, tmp_path, small):
    small["sobel"] = Contender("sobel", "", lambda *_: np.zeros((2, 2)))
    small["random"] = Contender("random", "", lambda *_: np.full((SIDE, SIDE), np.nan))
    told = []
    chosen = evaluation(folder, contenders=["sobel", "random"], count=1, metrics=["pointing"])
    evaluate(chosen, ScoreFile(tmp_path / "scores.jsonl"), told.append)
    expected = "expected finite numbers (y, x), (28, 28)"
    assert [score.error for score in told] == [
        f"ResultError: a map of shape (2, 2): {expected}",
        f"ResultError: a map of shape (28, 28): {expected}",
    ]


def test_randomised_networks_have_other_maps(tmp_path, folder, monkeypatch, small_network):
    model = load_model(small_network, output="logits", preprocess={"input_size": [16, 16]})
    monkeypatch.setattr(protocol, "load_model", lambda _spec: model)
    told = []
    chosen = evaluation(
        folder,
        contenders=["random", "sobel"],
        count=1,
        metrics=["randomisation", "randomisation:all"],
    )
    evaluate(chosen, ScoreFile(tmp_path / "scores.jsonl"), told.append)
    assert [score.error for score in told] == [""] * 4
    # Controls do not look at the network, so its weights change nothing; a flat picture is flat.
    assert told[0].scores == {"randomised classifier": pytest.approx(1)}
    assert told[1].scores == {"randomised network": pytest.approx(1)}


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pictures in this folder"):
        evaluate(evaluation(tmp_path), ScoreFile(tmp_path / "scores.jsonl"))
