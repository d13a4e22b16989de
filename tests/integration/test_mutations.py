"""Damaged files of every kind are read, or refused in one line; `make fuzz` tries many more."""

import contextlib
import io
import sys
import warnings
from pathlib import Path

import pytest
from fuzz import damaged, write
from fuzzing.readers import READERS
from fuzzing.seeds import SEEDS
from fuzzing.watch import is_one_line

from preddiff.errors import EngineWarning, InputWarning, PreddiffError

CORPUS = Path(__file__).parents[1] / "corpus"
COUNTS = dict.fromkeys(SEEDS, 40) | {
    "onnx": 4,
    "result": 8,
    "skops": 15,
    "dicom": 25,
    "pt2": 15,
    "torchscript": 15,
    "keras": 4,
    "hf": 4,
}


@pytest.fixture(autouse=True)
def unpickled():
    """Whatever is unpickled while files are read."""
    names = []
    watching = [True]
    sys.addaudithook(
        lambda event, given: names.append(given) if watching and event == "pickle.find_class" else 0
    )
    yield names
    watching.clear()


def read(kind, path):
    """Read a file as the commands do, or return the line that refuses it; fail on anything else."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        said = ""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                READERS[kind](path)
        except PreddiffError as error:
            said = str(error)
    assert is_one_line(said), said
    others = [each for each in told if not issubclass(each.category, EngineWarning | InputWarning)]
    assert not others, others[0]
    return said


def test_every_kind_has_seeds_and_a_reader():
    assert SEEDS.keys() == READERS.keys()


@pytest.mark.parametrize("kind", SEEDS)
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path, kind, unpickled, capfd):
    seeds = list(SEEDS[kind]())
    for number, seed in enumerate(seeds):
        write(tmp_path / f"sound{number}", seed.files)
        assert read(kind, tmp_path / f"sound{number}" / seed.target) == ""
    for number in range(COUNTS[kind]):
        one = damaged(kind, seeds, number, seed=0)
        write(tmp_path / str(number), one.files)
        read(kind, tmp_path / str(number) / one.target)
    assert not unpickled
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*")), ids=lambda path: path.name)
def test_what_once_failed_does_not_fail_again(path, unpickled, capfd):
    """In a folder by the name of the kind, the file, or a folder with the files."""
    read(path.parent.name, path)
    assert not unpickled
    assert capfd.readouterr() == ("", "")
