"""The protocol where the truth is known, on few pictures and contenders that cost nothing."""

import pytest

from preddiff.datasets.xai_tris import xai_tris
from preddiff.studies.evaluation import truth_networks, truth_protocol
from preddiff.studies.evaluation.scores import ScoreFile
from preddiff.studies.evaluation.truth_protocol import TruthEvaluation, evaluate_truth
from preddiff.studies.evaluation.truth_table import truth_tables


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Networks that learn little; how many were trained."""
    monkeypatch.setattr(truth_networks, "_EPOCHS", 2)
    monkeypatch.setattr(truth_networks, "_TRIES", 1)
    names = []
    train = truth_protocol.trained

    def counted(name, data):
        names.append(name)
        return train(name, data)

    monkeypatch.setattr(truth_protocol, "trained", counted)
    return names


def evaluation(**changes):
    settings = {
        "name": "xai-tris",
        "half": "report",
        "count": 3,
        "contenders": ["sobel", "random"],
        "cases": ["linear white"],
        "pictures": 800,
    }
    return TruthEvaluation(**settings | changes)


def run(file, **changes):
    told = []
    evaluate_truth(evaluation(**changes), file, told.append)
    return told


def test_everyone_is_scored_on_pictures_that_all_networks_are_right_about(tmp_path, quick):
    file = ScoreFile(tmp_path / "scores.jsonl")
    told = run(file)
    assert quick == ["linear", "mlp", "cnn"]
    maps = [score for score in told if score.contender in {"sobel", "random"}]
    assert len(maps) == 3 * 3 * 2
    assert all(set(s.scores) == {"precision linear white", "EMD linear white"} for s in maps)
    numbers = {int(score.picture.split()[-1]) for score in maps}
    assert len(numbers) == 3
    data = xai_tris("linear", "white", 800)
    for name in quick:
        network = truth_networks.trained(name, data).model
        for number in numbers:
            said = network.predict(data.pictures[[number]]).argmax()
            assert said == data.labels[number]
    assert {score.target for score in maps} <= {0, 1}


def test_halves_share_no_picture(tmp_path):
    numbers = []
    for half in ("choose", "report"):
        told = run(ScoreFile(tmp_path / half), half=half, count=30, contenders=["random"])
        numbers.append({s.picture.split()[-1] for s in told if s.contender == "random"})
    assert not numbers[0] & numbers[1]


def test_nothing_known_is_done_again(tmp_path, quick):
    file = ScoreFile(tmp_path / "scores.jsonl")
    run(file)
    quick.clear()
    assert run(ScoreFile(file.path)) == []
    assert quick == []
    more = run(ScoreFile(file.path), contenders=["sobel", "random", "laplace"])
    assert {s.contender for s in more} == {"linear", "mlp", "cnn", "laplace"}


def test_a_contender_that_fails_is_reported_and_tried_again(tmp_path, monkeypatch):
    contenders = truth_protocol.truth_contenders

    def failing(training):
        made = contenders(training)

        def fail(*_):
            raise ValueError("not today\nmore")

        return {**made, "sobel": type(made["sobel"])("sobel", "edges", fail)}

    file = ScoreFile(tmp_path / "scores.jsonl")
    with monkeypatch.context() as patched:
        patched.setattr(truth_protocol, "truth_contenders", failing)
        told = run(file)
    assert {s.error for s in told if s.contender == "sobel"} == {"ValueError: not today"}
    assert "- sobel failed on 9 pictures (truth): ValueError: not today" in truth_tables(
        file.scores.values(), "sobel"
    )
    again = run(ScoreFile(file.path))
    assert {s.contender for s in again} == {"linear", "mlp", "cnn", "sobel"}
    assert not any(score.error for score in again)


def test_the_table_has_a_column_for_each_case(tmp_path):
    file = ScoreFile(tmp_path / "scores.jsonl")
    run(file, cases=["linear white", "xor white"])
    text = truth_tables(file.scores.values(), "sobel")
    assert text.count("| map | linear white | xor white | seconds |") == 4
    assert "| network | linear white | xor white |" in text
    (regression,) = [line for line in text.splitlines() if line.startswith("| logistic")]
    assert regression.endswith("| – |")
    assert text.count("Differences to edges (Sobel)") == 2
    assert "half “report”" in text
    assert truth_tables([], "sobel") == ""
