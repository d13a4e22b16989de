"""preddiff interactions"""

import shutil

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from preddiff import cli
from preddiff.errors import ResultError, SettingError
from preddiff.results.interactions import Interactions

ASKED = ["--model", "tiny_model:make", "--sampler", "constant:0.5", "--train-size", "inf"]


@pytest.fixture
def invoke(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    return lambda *words: CliRunner().invoke(cli.app, ["interactions", *map(str, words)])


def test_the_strongest_pairs_and_the_figure_are_told(invoke, folder):
    done = invoke("cat.jpg", "--regions", "2x2", "--target", "top2", *ASKED)
    assert done.exception is None
    *pairs, last = done.stdout.splitlines()
    assert last == "out/cat.interactions.png"
    found = Interactions.load(folder / "out" / "cat.interactions.npz")
    assert found.matrix.shape == (2, 4, 4)
    strongest = [pair for row in range(2) for pair in found.strongest(row)[:5]]
    assert len(pairs) == len(strongest)
    for line, pair in zip(pairs, strongest, strict=True):
        assert f"regions {pair.one} and {pair.other}: {pair.interaction:+.3g} ± 0 bits" in line
    with Image.open(folder / "out" / "cat.interactions.png") as image:
        assert image.info["Software"] == "preddiff"


def test_regions_of_a_picture(invoke, folder):
    drawn = np.zeros((40, 60), dtype=np.uint8)
    drawn[:, :30], drawn[:, 30:] = 3, 8
    Image.fromarray(drawn).save(folder / "labels.png")
    done = invoke("cat.jpg", "--regions", "labels.png", *ASKED)
    assert "regions 3 and 8: " in done.stdout
    done = invoke("cat.jpg", "--regions", "out/cat.interactions.png", *ASKED)
    assert "the results would overwrite the input" in str(done.exception)


def test_those_of_another_input_are_replaced_when_asked_for(invoke, folder):
    words = ["--regions", "2x1", *ASKED]
    for _ in range(2):
        assert invoke("cat.jpg", *words).exception is None
    shutil.copy(folder / "pool" / "0.png", folder / "cat.png")
    done = invoke("cat.png", *words)
    assert isinstance(done.exception, ResultError)
    assert "cat.interactions.npz: of another input (cat.jpg); remove it" in str(done.exception)
    assert invoke("cat.png", *words, "--overwrite").exception is None


def test_what_makes_no_sense_is_refused(invoke):
    done = invoke("cat.jpg", "--regions", "0", *ASKED)
    assert isinstance(done.exception, SettingError)
    assert "regions=0: expected a number of superpixels" in str(done.exception)


def test_interactions_whose_errors_are_unknown_are_not_pointed_at(invoke):
    words = ["--model", "tiny_model:make", "--regions", "2x1", "--window", 6, "--samples", 1]
    done = invoke("cat.jpg", *words)
    assert "no two regions interact by more than two standard errors" in done.stdout
