"""The file of scores."""

import pytest

from preddiff.errors import ResultError
from preddiff.studies.evaluation.scores import Score, ScoreFile


def score(metric="pointing", **changes):
    made = {
        "model": "embedded",
        "weights": "",
        "picture": "a.png",
        "half": "choose",
        "target": 3,
        "contender": "random",
        "metric": metric,
        "machine": "here",
        "seconds": 0.5,
        "scores": {"pointing": 0.1 + 0.2},
    }
    return Score(**made | changes)


def test_scores_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "new" / "scores.jsonl"
    file = ScoreFile(path)
    file.add(score())
    file.add(score("stability", scores={}))
    again = ScoreFile(path)
    assert again.scores == file.scores
    assert score().key in again
    assert score("flipping:grey").key not in again


def test_what_failed_is_tried_again_and_then_replaced(tmp_path):
    file = ScoreFile(tmp_path / "scores.jsonl")
    file.add(score(scores={}, error="ModelError: no"))
    assert score().key not in file
    file.add(score())
    assert score().key in file
    assert ScoreFile(file.path).scores == {score().key: score()}


def test_half_a_line_of_a_killed_run_is_dropped(tmp_path):
    path = tmp_path / "scores.jsonl"
    ScoreFile(path).add(score())
    whole = path.read_text()
    path.write_text(whole + whole[: len(whole) // 2])
    file = ScoreFile(path)
    assert list(file.scores) == [score().key]
    file.add(score("stability"))
    assert len(ScoreFile(path).scores) == 2


@pytest.mark.parametrize("text", ['{"a": 1}\n', "no json\n", "[1]\n", b"\xff\xfe\n"])
def test_other_files_are_refused_and_stay(tmp_path, text):
    path = tmp_path / "other.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = path.read_bytes()
    with pytest.raises(ResultError, match=r"other.jsonl: is no file of scores .* another name"):
        ScoreFile(path)
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    file = ScoreFile(tmp_path / "file" / "scores.jsonl")
    with pytest.raises(ResultError, match="cannot be written"):
        file.add(score())
