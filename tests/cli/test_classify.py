"""preddiff classify: from a table to a map, and bad tables."""

import sys

import nibabel
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import preddiff
from preddiff import cli
from preddiff.media import maps
from preddiff.media.grid import Grid
from preddiff.models.sources import skops
from small_study import AFFINE, SHAPE, write_small_study


@pytest.fixture
def study(tmp_path, rng):
    return write_small_study(tmp_path, rng)


def run(monkeypatch, capsys, folder, *arguments):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["preddiff", *map(str, arguments)])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    printed = capsys.readouterr()
    return leaving.value.code or 0, printed.out, printed.err


def without_progress(complained):
    """Return what a command complains of: that it still fits is said on a slow machine only."""
    return "".join(line for line in complained.splitlines(True) if not line.startswith("Fitting"))


def test_from_table_to_map(study, monkeypatch, capsys):
    status, said, complained = run(
        monkeypatch, capsys, study,
        "classify", "fit", "study.csv", "--balance", "--folds", 3, "-o", "study.skops",
    )  # fmt: skip
    assert status == 0
    # Who does not know of --reference needs a sampler, and minutes to fit it, afterwards.
    assert complained == (
        "no sampler was fitted: --reference group=VALUE (of healthy, patient) fits one as well, "
        "which `preddiff explain` then takes by itself\n"
    )
    assert "subjects             18 (9 healthy, 9 patient)" in said
    assert "(largest group 50.0%)" in said
    assert said.splitlines()[-1] == "study.skops"
    status, shown, _ = run(monkeypatch, capsys, study, "classify", "show", "study.skops")
    assert shown.splitlines() == said.splitlines()[:-1]

    status, said, complained = run(
        monkeypatch, capsys, study,
        "explain", "scan00.nii.gz", "--model", "study.skops", "--sampler", "constant:100",
        "--target", "patient",
    )  # fmt: skip
    assert status == 0, complained
    assert {path.name for path in (study / "out").iterdir()} == {
        "scan00.zarr", "scan00.png", "scan00.nii.gz", "scan00.html",
    }  # fmt: skip
    e = preddiff.load(study / "out" / "scan00.zarr")
    assert e.labels == ("patient",)
    assert e.provenance["window"] == 3
    assert e.provenance["train_size"] == 18
    peak = np.unravel_index(np.nanargmax(e.relevance.values[0]), SHAPE)
    assert max(peak) < 3
    assert (nibabel.load(study / "out" / "scan00.nii.gz").affine == e.grid.affine).all()


@pytest.mark.parametrize("masked", [False, True])
def test_scans_on_other_grids_are_interpolated_where_asked(study, monkeypatch, capsys, masked):
    moved = AFFINE.copy()
    moved[2, 3] += 1  # half a voxel
    other = study / "scan05.nii.gz"
    other.unlink()
    maps.write(np.random.default_rng(0).normal(100, 10, SHAPE), Grid(SHAPE, moved), other)
    maps.write(np.ones(SHAPE), Grid(SHAPE, moved if masked else AFFINE), study / "mask.nii")
    options = ["--folds", 3, "-o", "study.skops", *(["--mask", "mask.nii"] if masked else [])]
    fit = ["classify", "fit", "study.csv", *options]
    status, _, complained = run(monkeypatch, capsys, study, *fit)
    assert status == 2
    assert "let it be resampled (" in complained
    assert "--resample)" in complained
    reference = ["--reference", "group=healthy"]
    status, said, complained = run(monkeypatch, capsys, study, *fit, "--resample", *reference)
    assert (status, without_progress(complained)) == (0, "")
    assert "resampled            yes" in said
    grid = preddiff.load_model(study / "study.skops").grid
    assert grid.affine[2, 3] == (moved if masked else AFFINE)[2, 3]
    sampler = preddiff.samplers.Cohort.load(study / "study.reference.npz")
    assert sampler.scan_grid.is_like(grid)


def test_a_reference_group_hides_windows_unasked(study, monkeypatch, capsys):
    status, said, complained = run(
        monkeypatch, capsys, study,
        "classify", "fit", "study.csv", "--folds", 3, "--reference", "group=healthy",
        "-o", "study.skops",
    )  # fmt: skip
    assert (status, without_progress(complained)) == (0, "")
    assert "reference group      group=healthy (study.reference.npz)" in said
    sampler = preddiff.samplers.Cohort.load(study / "study.reference.npz")
    assert sampler.reference == "group=healthy"
    assert sampler.facts["scans"] == 17  # of 26, those of no patient

    explain = ["explain", "scan00.nii.gz", "--model", "study.skops"]
    status, _, told = run(monkeypatch, capsys, study, *explain)
    assert status == 0, told
    line = "sampler cohort:study.reference.npz, fitted with study.skops on scans of group=healthy"
    assert line in told
    provenance = preddiff.load(study / "out" / "scan00.zarr").provenance
    assert provenance["sampler"] == "cohort:study.reference.npz"
    assert provenance["reference"] == "group=healthy"
    assert provenance["sampler_sha256"] == sampler.sha256
    status, _, told = run(
        monkeypatch, capsys, study, "interactions", *explain[1:], "--regions", "2x1x1"
    )
    assert (status, line in told) == (0, True)

    status, _, told = run(monkeypatch, capsys, study, *explain, "--sampler", "constant:100")
    assert (status, line in told) == (0, False)
    (study / "study.reference.npz").write_bytes(b"")
    status, _, told = run(monkeypatch, capsys, study, *explain)
    assert status == 2
    assert "study.reference.npz: is not the sampler that study.skops was fitted with" in told


def test_covariates_are_those_of_the_reference_group_as_well(study, rng, monkeypatch, capsys):
    rows = (study / "study.csv").read_text().splitlines()
    ages, sites = rng.integers(50, 80, 26), rng.integers(1, 3, 26)
    more = [f"{row},{age},{site}" for row, age, site in zip(rows[1:], ages, sites, strict=True)]
    (study / "study.csv").write_text("\n".join([f"{rows[0]},age,scanner", *more]) + "\n")
    status, said, complained = run(
        monkeypatch, capsys, study,
        "classify", "fit", "study.csv", "--folds", 3, "--reference", "group=healthy",
        "--covariate", "age", "--site", "scanner", "-o", "study.skops",
    )  # fmt: skip
    assert (status, without_progress(complained)) == (0, "")
    line = "reference group      group=healthy, given age, scanner=2 (study.reference.npz)"
    assert line in said
    sampler = preddiff.samplers.Cohort.load(study / "study.reference.npz")
    healthy = [age for n, age in enumerate(ages) if n % 3]
    assert sampler.covariates["age"] == pytest.approx((np.mean(healthy), np.std(healthy)))
    assert list(sampler.covariates) == ["age", "scanner=2"]
    explain = ["explain", "scan00.nii.gz", "--model", "study.skops"]
    status, _, told = run(monkeypatch, capsys, study, *explain)
    own = "another, or this one at the scan's own age, scanner=2 (cohort:study.reference.npz@age="
    assert (status, own in told) == (0, True)


def test_without_a_reference_group_one_command_makes_a_sampler(study, monkeypatch, capsys):
    run(monkeypatch, capsys, study, "classify", "fit", "study.csv", "--folds", 3, "-o", "a.skops")
    status, _, told = run(
        monkeypatch, capsys, study, "explain", "scan00.nii.gz", "--model", "a.skops"
    )
    assert status == 2
    assert "preddiff sampler fit TABLE -o reference.npz --family cohort --where" in told


@pytest.mark.parametrize("facts", [{}, {"accuracy": None}, {"groups": 3}, {"auc": "high"}])
def test_facts_that_are_damaged_are_refused_in_one_line(tmp_path, monkeypatch, capsys, facts):
    grid = Grid((2, 2, 2), np.eye(4), {"pixdim": [1.0]})
    mask = np.ones((2, 2, 2), dtype=bool)
    skops.save(tmp_path / "a.skops", LogisticRegression(), mask, grid, {"subjects": 3, **facts})
    status, _, complained = run(monkeypatch, capsys, tmp_path, "classify", "show", "a.skops")
    assert status == 2
    assert complained.startswith("preddiff: a.skops: its facts are damaged (")
    assert len(complained.splitlines()) == 1


def table(*lines):
    return lambda folder: (folder / "bad.csv").write_text("\n".join(lines) + "\n")


def bad_scan(folder):
    maps.write(np.ones((3, 3, 3)), Grid((3, 3, 3), AFFINE), folder / "other.nii")
    table("path,group", "scan00.nii.gz,a", "other.nii,b", "scan01.nii.gz,a", "scan02.nii.gz,b")(
        folder
    )


BAD = {
    "no table": (lambda _: None, [], "bad.csv: no such table"),
    "no text": (lambda f: (f / "bad.csv").write_bytes(b"\xff\xfe\0\1"), [], "not a table of text"),
    "empty": (lambda f: (f / "bad.csv").write_text(""), [], "bad.csv: the file is empty (0 bytes)"),
    "no rows": (table("path,group"), [], "has no rows"),
    "missing column": (table("file,group", "a,b"), [], "no column 'path'; it has file, group"),
    "nearest": (table("path,group", "a,b"), ["--label", "grup"], "'grup'; it has path, group; nea"),
    "missing file": (
        table("path,group", "scan00.nii.gz,a", "gone.nii,b"), [], "line 3: gone.nii: no such file",
    ),
    "empty cell": (table("path,group", "scan00.nii.gz,"), [], "line 2: no 'group'; fill it in"),
    "one class": (
        table("path,group", "scan00.nii.gz,a", "scan01.nii.gz,a"), [], "all of 'group' are 'a'",
    ),
    "few": (
        table("path,group", "scan00.nii.gz,a", "scan01.nii.gz,b"), [], "the group 'a' has 1 scans",
    ),
    "another grid": (bad_scan, ["--folds", 2], "other.nii: a volume of 3×3×3"),
    "slices": (bad_scan, ["--slices", "x:3"], "slices 'x:3': expected AXIS:START:STOP"),
    "no such slices": (bad_scan, ["--slices", "x:2:9"], "the scans have 6 along x"),
    "no such axis": (bad_scan, ["--slices", "w:2:9"], "axis 'w': expected x, y, z"),
    "mask": (bad_scan, ["--mask", "other.nii"], "a mask of 3×3×3"),
    "reference": (bad_scan, ["--reference", "b"], "where 'b': expected COLUMN=VALUE"),
    "name": (bad_scan, ["-o", "a.pkl"], "a.pkl: expected a name that ends in .skops"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(study, monkeypatch, capsys, name):
    make, options, message = BAD[name]
    make(study)
    before = sorted(study.rglob("*"))
    arguments = ["classify", "fit", "bad.csv", "-o", "a.skops", *options]
    status, said, complained = run(monkeypatch, capsys, study, *arguments)
    assert (status, said) == (2, "")
    *before_it, last = complained.splitlines()
    assert message in last
    assert all(line.endswith("…") for line in before_it)  # of work that is slow on this machine
    assert sorted(study.rglob("*")) == before


def test_show_of_what_is_no_classifier(study, monkeypatch, capsys):
    status, _, complained = run(monkeypatch, capsys, study, "classify", "show", "study.csv")
    assert status == 2
    assert "study.csv: not a complete .skops file" in complained
