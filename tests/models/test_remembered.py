"""The sampler beside a classifier: found by its name, refused where it is another."""

import pytest

from preddiff.errors import ModelError
from preddiff.models.remembered import Remembered


@pytest.fixture
def remembered(tmp_path):
    (tmp_path / "a.reference.npz").write_bytes(b"a sampler")
    return Remembered.of_file(tmp_path / "a.reference.npz", "group=control")


def test_facts_and_folder_give_it_back(remembered, tmp_path):
    assert remembered.facts["file"] == "a.reference.npz"
    assert Remembered.of_facts(remembered.facts, tmp_path) == remembered
    assert remembered.spec("a.skops") == f"cohort:{tmp_path / 'a.reference.npz'}"


def test_another_file_is_refused(remembered):
    remembered.path.write_bytes(b"another sampler")
    with pytest.raises(ModelError, match="is not the sampler that a.skops was fitted with, its"):
        remembered.spec("a.skops")
    remembered.path.unlink()
    with pytest.raises(ModelError, match="the sampler that a.skops was fitted with is not there"):
        remembered.spec("a.skops")


@pytest.mark.parametrize("file", ["../a.npz", "/a.npz", "", "."])
def test_only_files_beside_the_model_are_named(remembered, tmp_path, file):
    with pytest.raises(ValueError, match="is no name of a file beside it"):
        Remembered.of_facts({**remembered.facts, "file": file}, tmp_path)
