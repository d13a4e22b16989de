"""Files of interactions: what is in them, and what is refused."""

import json

import numpy as np
import pytest

from preddiff.errors import ResultError
from preddiff.results.interactions import Interactions, Pair


@pytest.fixture
def found(rng):
    matrix = np.zeros((1, 3, 3))
    matrix[0, [0, 1], [1, 0]], matrix[0, [1, 2], [2, 1]] = 0.5, -0.9
    return Interactions(
        matrix=matrix,
        error=np.full((1, 3, 3), 0.3),
        numbers=np.array([2, 5, 9]),
        regions=np.array([[2, 5, 9, 0]]),
        picture=rng.random((3, 1, 4)).astype(np.float32),
        targets=np.array([7]),
        labels=("cat\x1b[31m",),
        prediction=np.array([0.9]),
        affine=np.empty((0, 0)),
        provenance={"unit": "bits", "input": "cat\n.jpg"},
    )


def test_only_what_is_beyond_its_error_is_strong(found):
    assert found.strongest() == [Pair(5, 9, -0.9, 0.3)]


def test_texts_of_strangers_are_safe(found):
    assert found.labels == ("cat\\x1b[31m",)
    assert found.provenance["input"] == "cat\\n.jpg"


def test_a_file_of_somebody_else_stays(found, tmp_path):
    np.savez(tmp_path / "mine.npz", matrix=np.ones(3))
    with pytest.raises(ResultError, match=r"mine\.npz: exists and was not written by preddiff"):
        found.save(tmp_path / "mine.npz")
    found.save(tmp_path / "ours.npz")
    found.save(tmp_path / "ours.npz")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("matrix", np.zeros((1, 2, 2))),
        ("matrix", np.array([[["a"] * 3] * 3])),
        ("error", None),
        ("regions", np.zeros((2, 2), dtype=np.int64)),
        ("affine", np.zeros((4, 4))),
        ("picture", np.full((3, 1, 4), np.nan, dtype=np.float32)),
        ("provenance", np.str_("[]")),
        ("provenance", np.str_("no JSON")),
        ("provenance", np.str_(json.dumps({"unit": "bits", "preddiff_format": 99}))),
        ("labels", np.array([b"cat"], dtype=object)),
    ],
)
def test_damaged_files_are_refused(found, tmp_path, name, value):
    found.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        arrays = {key: file[key] for key in file.files if key != name}
    if value is not None:
        arrays[name] = value
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(ResultError, match=r"b\.npz: not interactions"):
        Interactions.load(tmp_path / "b.npz")
