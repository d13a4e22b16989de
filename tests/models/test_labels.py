"""Names of classes, as callers have them."""

import json

import pytest

from preddiff.errors import ModelError
from preddiff.models.labels import names

ABC = ["a", "b", "c"]


@pytest.mark.parametrize(
    "source",
    [
        ABC,
        tuple(ABC),
        {2: "c", 0: "a", 1: "b"},
        {"0": "a", "1": "b", "2": "c"},
        {"b": 1, "a": 0, "c": 2},
    ],
)
def test_lists_and_mappings(source, tmp_path):
    assert names(source) == ABC
    (tmp_path / "labels.json").write_text(json.dumps(source))
    assert names(tmp_path / "labels.json") == ABC


def test_files_of_lines_and_of_huggingface(tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\nc\n\n")
    assert names(str(tmp_path / "labels.txt")) == ABC
    config = {"hidden_size": 3, "id2label": {"0": "a", "1": "b", "2": "c"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert names(tmp_path / "config.json") == ABC


def test_what_is_no_list_of_names(tmp_path):
    with pytest.raises(ModelError, match=r"labels \{0: 'a', 2: 'b'\}: expected a number from 0 to"):
        names({0: "a", 2: "b"})
    (tmp_path / "labels.json").write_text("3")
    with pytest.raises(ModelError, match=r"labels.json: not a file with one name per line, or a"):
        names(tmp_path / "labels.json")
    with pytest.raises(ModelError, match="missing.txt: no such file; check the path"):
        names(tmp_path / "missing.txt")
