"""The words that readers meet are the same everywhere: page, figure, help and messages."""

import re
from pathlib import Path

import numpy as np
import pytest
import typer
from nibabel.affines import from_matvec

import preddiff
from conftest import Softmax
from preddiff import cli
from preddiff.models import Linear
from preddiff.pipeline.progress import until
from preddiff.results.explanation import Explanation
from preddiff.samplers import Constant
from preddiff.viewer.page import html

ROOT = Path(__file__).parents[2]
OLD_WORDS = (
    "probably about",
    "hide pixels that",
    "hide voxels that",
    "they speak for it",
    "weakens this answer",
    "of the largest absolute value in the volume",
    "Stop when the map's relative error",
    "stop when the map's relative error",
    "exact, no sampling",
)


def words_of(page):
    """The text of a page, without marks and line breaks."""
    body = page.partition("<body>")[2].partition("<script")[0]
    return " ".join(re.sub(r"<[^>]*>", "", body).split())


@pytest.fixture
def of_picture(rng):
    picture = rng.random((3, 16, 16), dtype=np.float32)
    return preddiff.explain(Softmax(picture.shape), picture, window=4, stride=5, samples=2)


@pytest.fixture
def of_scan(rng):
    scan = rng.random((1, 6, 7, 8), dtype=np.float32)
    model = Linear(rng.normal(size=scan.shape), 0.0, labels=["control", "patient"])
    e = preddiff.explain(model, scan, "patient", sampler=Constant(1.0), window=2)
    affine = from_matvec(np.diag([2.0, 2, 2]), (0, 0, 0))
    data = e.data.assign(affine=(("world", "voxel"), affine, {}))
    data.attrs["input"] = "subject_003.nii.gz"
    return Explanation(data)


def test_the_page_of_a_picture(of_picture):
    said = words_of(html(of_picture))
    assert "Hiding red pixels weakens the model's answer; hiding blue ones strengthens it." in said
    assert "Hiding green pixels changes the model's answer, either way." in said
    assert "Hide pixels that cannot be told from zero (95 %)" in said
    assert "not analysed (no window or region lies there)" in said


def test_the_page_of_a_scan(of_scan):
    said = words_of(html(of_scan))
    assert "Hiding red voxels weakens the model's answer; hiding blue ones strengthens it." in said
    assert "Hide voxels that cannot be told from zero (95 %)" in said
    assert "Exact (closed form, no sampling)." in said


def test_the_figure_of_a_picture(of_picture):
    notes = preddiff.figure(of_picture).get_supxlabel()
    assert "not analysed (no window or region lies there)" in notes


def test_the_figure_of_a_scan(of_scan):
    drawn = preddiff.figure(of_scan)
    least = 0.15 * float(np.abs(of_scan.relevance).max())
    title = " ".join(drawn.get_suptitle().split())
    assert title.startswith(
        f"Evidence for “patient” in subject_003.nii.gz; shown above {least:.3g} bits (15 % of the "
        "maximum)"
    )
    assert "exact (closed form, no sampling)" in drawn.get_supxlabel()
    several = preddiff.figure(of_scan, threshold=0, map="importance").get_suptitle()
    assert "Importance for “patient” in subject_003.nii.gz; shown is every" in several


def test_the_forecast():
    assert until(0.2, 120, 5760) == (
        "Probably about 2.0 min, at most 1.6 h; stops once the relative error is below 20 %"
    )
    assert until(0.2, None, 30) == ("At most 30 s; stops once the relative error is below 20 %")


def test_the_help_of_the_tolerance():
    command = typer.main.get_command(cli.app).commands["explain"]
    (tolerance,) = (each for each in command.params if each.name == "tolerance")
    said = (
        "top early when the map's standard error is below X of its size; 0.2 is a quick look, "
        "0.1 good"
    )
    assert f"S{said}." == tolerance.help
    assert f"| `--tolerance X` | s{said}." in (ROOT / "docs" / "cli.md").read_text()


def test_older_words_are_gone():
    texts = [
        path
        for folder, endings in (("src", {".py", ".js", ".j2"}), ("docs", {".md"}))
        for path in (ROOT / folder).rglob("*")
        if path.suffix in endings and "development" not in path.parts and "vendor" not in path.parts
    ]
    found = [
        f"{path.name}: {words}"
        for path in [*texts, ROOT / "README.md"]
        for words in OLD_WORDS
        if words in path.read_text(encoding="utf-8")
    ]
    assert found == []
    assert len(texts) > 300
