"""No command replaces a file that it did not write, and each replaces what it wrote itself.

But what takes long, and does not follow from the name, only if asked: --overwrite.
"""

import numpy as np
import pytest
from typer.testing import CliRunner

import preddiff
from command_line import TINY
from preddiff import cli, media
from preddiff.errors import ResultError
from preddiff.media import maps
from preddiff.media.grid import Grid
from preddiff.models.linear import Linear
from small_study import write_small_study

# The command, and the names of what it writes.
COMMANDS = {
    "sampler fit": (["sampler", "fit", "pool", "--patch", 3, "-o", "mine.npz"], ["mine.npz"]),
    "sampler fit of volumes": (
        ["sampler", "fit", "study", "--patch", 2, "-o", "volumes.npz"], ["volumes.npz"],
    ),
    "classify fit": (
        ["classify", "fit", "study/study.csv", "--folds", 2, "-o", "mine.skops"], ["mine.skops"],
    ),
    "cohort": (
        ["cohort", "--subjects", 4, "--spacing", 8, "-o", "cohort"],
        ["cohort/table.csv", "cohort/mask.nii.gz", "cohort/scans/subject_003.nii.gz",
         "cohort/truth/subject_001.nii.gz"],
    ),
    "explain": (
        ["explain", "cat.jpg", *TINY], ["out/cat.png", "out/cat.html", "out/cat.zarr"],
    ),
    "interactions": (
        ["interactions", "cat.jpg", *TINY[:2], "--regions", "2x2", "--samples", 2],
        ["out/cat.interactions.npz", "out/cat.interactions.png"],
    ),
    "view": (["view", "kept/cat.zarr", "--no-browser", "-o", "a.html"], ["a.html"]),
    "export png": (["export", "kept/cat.zarr", "--to", "png"], ["kept/cat.png"]),
    "export npz": (["export", "kept/cat.zarr", "--to", "npz"], ["kept/cat.npz"]),
    "export netcdf": (["export", "kept/cat.zarr", "--to", "netcdf"], ["kept/cat.nc"]),
    "reproduce": (
        ["reproduce", "fig9", "--hurry", 8, "-o", "figures"],
        ["figures/fig9.png", "figures/captions.md"],
    ),
}  # fmt: skip


def invoke(*arguments):
    return CliRunner().invoke(cli.app, list(map(str, arguments)))


@pytest.fixture
def study(folder, rng, monkeypatch):
    """A folder with pictures, scans and the result of another picture."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    (folder / "study").mkdir()
    write_small_study(folder / "study", rng, maps.SCAN)
    other = media.Input(rng.random((3, 8, 8), dtype=np.float32), "cat.jpg")
    e = preddiff.explain(Linear(np.ones((3, 8, 8))), other, window=3, sampler="constant:0.5")
    preddiff.save(e, folder / "kept" / "cat.zarr")
    return folder


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "reproduce"])
def test_a_file_of_somebody_else_is_never_replaced_and_ones_own_is(study, name):
    command, written = COMMANDS[name]
    for destination in written:
        path = study / destination
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text("mine")
        before = sorted(study.rglob("*"))
        done = invoke(*command)
        assert isinstance(done.exception, ResultError), done.exception
        assert f"{destination}: exists and " in str(done.exception)
        assert "remove it or choose another name" in str(done.exception)
        assert path.read_text() == "mine"
        assert sorted(study.rglob("*")) == before
        path.unlink()
    assert invoke(*command).exception is None
    # What follows from other files than its name says is only replaced when asked for.
    asked = ["--overwrite"] if command[0] in {"sampler", "classify", "cohort"} else []
    for destination in written if asked else []:
        before = (study / destination).read_bytes()
        assert "exists; choose another --output, or say --ov" in str(invoke(*command).exception)
        assert (study / destination).read_bytes() == before
    assert invoke(*command, *asked).exception is None


def test_a_reference_sampler_is_not_replaced_unasked(study):
    command = [*COMMANDS["classify fit"][0], "--reference", "group=healthy"]
    assert invoke(*command).exception is None
    (study / "mine.skops").unlink()
    assert "mine.reference.npz: exists; choose" in str(invoke(*command).exception)
    assert not (study / "mine.skops").exists()
    assert invoke(*command, "--overwrite").exception is None


def test_a_smaller_cohort_leaves_nothing_of_a_larger_one(study):
    command = ["cohort", "--spacing", 8, "-o", "cohort", "--subjects"]
    assert invoke(*command, 6).exception is None
    (study / "cohort" / "table.csv").unlink()  # as where it was killed
    assert "mask.nii.gz: exists; choose" in str(invoke(*command, 4).exception)
    (study / "cohort" / "scans" / "subject_my_own.nii.gz").write_text("mine")
    assert invoke(*command, 4, "--overwrite").exception is None
    left = {path.name for path in (study / "cohort" / "scans").iterdir()}
    assert left == {*(f"subject_{n:03d}.nii.gz" for n in range(4)), "subject_my_own.nii.gz"}
    assert len(list((study / "cohort" / "truth").iterdir())) == 2


def test_what_a_command_cannot_write_is_refused_before_its_work(study):
    (study / "file").write_text("mine")
    for name, option in (("sampler fit", "file/a.npz"), ("classify fit", "file/a.skops")):
        done = invoke(*COMMANDS[name][0][:-1], option)
        assert "not a folder that can be written" in str(done.exception)
    assert invoke("cohort", "-o", "file").exception.args[0].startswith("file: not a folder")


@pytest.mark.parametrize("command", [["bench", "--scans", "-o"], ["reproduce", "fig9", "--page"]])
def test_a_page_without_marks_is_refused_before_the_work(study, command):
    (study / "page.md").write_text("mine")
    assert "page.md: expected the marks" in str(invoke(*command, "page.md").exception)
    assert (study / "page.md").read_text() == "mine"


def test_reproduce_refuses_before_the_work(study):
    command, written = COMMANDS["reproduce"]
    (study / "figures").mkdir()
    for destination in written:
        (study / destination).write_text("mine")
        assert f"{destination}: exists and was not written by" in str(invoke(*command).exception)
        (study / destination).unlink()


def test_a_mask_that_is_a_map_of_an_earlier_run_is_not_replaced_by_the_next(study):
    scan = "study/scan00.nii.gz"
    assert invoke(*COMMANDS["classify fit"][0]).exception is None
    settings = ["--model", "mine.skops", "--window", 2]
    samplers = ["--sampler", "constant:9", "--sampler", "constant:-9"]
    assert invoke("explain", scan, *settings, *samplers).exception is None
    # Nor is one result by the other, whose settings differ in a sign only.
    found = {path.name for path in (study / "out").glob("*.zarr")}
    assert found == {"scan00.constant-9.zarr", "scan00.constant-9-2.zarr"}
    mask = study / "out" / "scan00.constant-9.nii.gz"
    before = mask.read_bytes()
    done = invoke("explain", scan, *settings, *samplers, "--mask", mask)
    assert "the results would overwrite the mask" in str(done.exception)
    assert mask.read_bytes() == before


def test_the_result_of_another_input_is_replaced_when_asked_for(study):
    done = invoke("explain", "cat.jpg", *TINY, "-o", "kept")
    assert "kept/cat.zarr: the result of another input" in str(done.exception)
    assert "or say --overwrite" in str(done.exception)
    assert invoke("explain", "cat.jpg", *TINY, "-o", "kept", "--overwrite").exception is None
    (study / "kept" / "cat.html").write_text("mine")
    done = invoke("explain", "cat.jpg", *TINY, "-o", "kept", "--overwrite")
    assert "was not written by preddiff" in str(done.exception)


def test_the_result_of_another_scan_that_was_resampled_is_never_replaced(study, rng):
    assert invoke(*COMMANDS["classify fit"][0]).exception is None
    settings = ["--model", "mine.skops", "--sampler", "constant:100", "--window", 2, "--resample"]
    shape, affine = (5, 5, 6), np.diag([-2.1, 2, 2, 1])
    affine[:3, 3] = 5, -5, -4
    for who in ("one", "two"):
        values = rng.normal(100, 10, size=shape)
        maps.write(values, Grid(shape, affine), study / who / "scan.nii.gz")
    for _ in range(2):
        assert invoke("explain", "one/scan.nii.gz", *settings).exception is None
    done = invoke("explain", "two/scan.nii.gz", *settings)
    assert "scan.zarr: the result of another input" in str(done.exception)
