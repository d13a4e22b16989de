"""preddiff sampler: fitted on pictures and volumes, shown and used; and bad input."""

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner

from command_line import TINY
from preddiff import cli
from preddiff.errors import PreddiffError
from preddiff.samplers import ConditionalGaussian
from preddiff.samplers import load as loading


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_a_sampler_is_fitted_shown_and_used(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)

    def printed(*arguments):
        result = invoke(*arguments)
        assert result.exception is None, result.exception
        return result.stdout

    printed("sampler", "fit", "pool", "-o", "mine.npz", "--patch", 7, "--model", "tiny_model:make")
    shown = printed("sampler", "show", "mine.npz")
    assert "7×7" in shown
    assert "joint" in shown
    printed("explain", "cat.jpg", *TINY[:2], "--window", 3, "--sampler", "conditional:mine.npz")
    student = "--family", "student"
    printed("sampler", "fit", "pool", "-o", "student.npz", "--patch", 4, *student)
    assert "degrees of freedom" in printed("sampler", "show", "student.npz")
    printed("sampler", "fit", "pool", "-o", "mixed.npz", "--patch", 3, "--family", "mixture")
    assert "components" in printed("sampler", "show", "mixed.npz")
    printed("sampler", "fit", "pool", "-o", "large.npz", "--patch", 5, "--stationary")
    assert "conditional normal, stationary" in printed("sampler", "show", "large.npz")
    printed(
        "explain",
        "cat.jpg",
        *TINY[:2],
        "--window",
        3,
        "--margin",
        1,
        "--sampler",
        "conditional:large.npz",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "empty", "-o", "a.npz"], "empty: no such folder"),
        (["fit", "one", "-o", "a.npz"], "1 inputs with"),
        (["fit", "pool", "-o", "a.npz", "--stationary", "--patch", "99"], "at least 198"),
        (
            ["fit", "pool", "-o", "a.npz", "--stationary", "--channels", "independent"],
            "--stationary: channels are joint; leave --channels out",
        ),
        (
            ["fit", "pool", "-o", "a.npz", "--stationary", "--family", "student"],
            "--grid and --stationary are of --family conditional, not of student",
        ),
        (["fit", "none", "-o", "a.npz"], "none: no pictures in this folder"),
        (["fit", "pool", "-o", "none", "--patch", "3"], "none: is a folder"),
        (["show", "cat.jpg"], "cat.jpg: not a sampler file"),
    ],
)
def test_bad_input_is_one_line(folder, here, arguments, message):
    (folder / "none").mkdir()
    (folder / "one").mkdir()
    (folder / "one" / "cat.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    done = here("sampler", *arguments)
    assert done.returncode == 2
    *before, last = done.stderr.splitlines()
    assert message in last
    assert all(line.endswith("…") for line in before)  # of work that is slow on this machine


def test_the_command_line_fits_folders_of_volumes(scans, cohort):
    fit = ["sampler", "fit", scans / "scans", "--patch", 3]
    done = invoke(*fit, "-o", scans / "l.npz", "--grid", "2,3,2", "--mask", scans / "mask.nii")
    assert done.exit_code == 0, done.output
    located = loading.read_sampler(scans / "l.npz")
    assert located.grid.cells == (2, 3, 2)
    assert len(located.fitted) == 6
    assert "cells fitted" in invoke("sampler", "show", scans / "l.npz").stdout
    assert invoke(*fit, "-o", scans / "c.npz").exit_code == 0
    done = invoke(*fit, "-o", scans / "s.npz", "--family", "student")
    assert done.exit_code == 0, done.output
    assert loading.read_sampler(scans / "s.npz").scan_grid.shape == located.scan_grid.shape
    assert invoke(*fit, "-o", scans / "s.npz", "--stationary", "--overwrite").exit_code == 0
    assert loading.read_sampler(scans / "s.npz").scan_grid is not None
    expected = ConditionalGaussian.fit(cohort[:8], patch=3)
    np.testing.assert_allclose(loading.read_sampler(scans / "c.npz").mean, expected.mean)


def test_the_patch_of_volumes_is_that_of_their_windows(tmp_path, rng):
    for name in ("a.nii", "b.nii"):
        volume = rng.normal(size=(24, 24, 24)).astype(np.float32)
        nibabel.Nifti1Image(volume, np.eye(4)).to_filename(tmp_path / name)
    done = invoke("sampler", "fit", tmp_path, "-o", tmp_path / "v.npz")
    assert done.exit_code == 0, done.output
    assert loading.read_sampler(tmp_path / "v.npz").shape == (1, 7, 7, 7)


def test_volumes_on_other_grids_are_interpolated_where_asked(scans):
    moved = np.diag([1.0, 1, 1, 1])
    moved[0, 3] = 0.5
    image = nibabel.load(scans / "scans" / "3.nii.gz")
    nibabel.Nifti1Image(image.get_fdata(), moved).to_filename(scans / "scans" / "3.nii.gz")
    fit = ["sampler", "fit", scans / "scans", "-o", scans / "m.npz", "--family", "marginal"]
    with pytest.raises(PreddiffError, match=r"3.nii.gz: a volume .* let it be resampled \(--res"):
        CliRunner().invoke(cli.app, [str(each) for each in fit], catch_exceptions=False)
    done = invoke(*fit, "--resample")
    assert done.exit_code == 0, done.output
    pool = loading.read_sampler(scans / "m.npz").pool[3, 0]
    between = image.get_fdata().T
    np.testing.assert_allclose(pool[..., 1], (between[..., 0] + between[..., 1]) / 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--grid", "a,b"], "--grid a,b: expected whole numbers"),
        (["--grid", "2,2"], "expected 3 numbers of cells"),
        (["--grid", "2,2,2", "--stationary"], "--stationary: .* leave --grid and --mask out"),
        (["--model", "embedded"], "--model and --channels are for pictures"),
    ],
)
def test_fits_that_the_command_line_refuses(scans, options, message):
    fit = ["sampler", "fit", scans / "scans", "--patch", 3, "-o", scans / "l.npz"]
    with pytest.raises(PreddiffError, match=message):
        CliRunner().invoke(cli.app, [str(a) for a in [*fit, *options]], catch_exceptions=False)


def test_the_command_line_fits_the_scans_of_a_group(scans):
    """Of a table: a normal over the brain, patches, or the scans as they are."""
    rows = "".join(
        f"scans/{n}.nii.gz,{'control' if n < 6 else 'patient'},{30 + n % 5},{'fm'[n % 2]}\n"
        for n in range(8)
    )
    table = scans / "study.csv"
    table.write_text(f"path,group,age,sex\n{rows}")
    controls = ["sampler", "fit", table, "--where", "group=control", "-o"]
    done = invoke(*controls, scans / "m.npz", "--family", "marginal")
    assert done.exit_code == 0, done.output
    pool = loading.read_sampler(scans / "m.npz")
    assert pool.population == 6
    assert pool.reference == "group=control"
    done = invoke(*controls, scans / "p.npz", "--patch", 3)
    assert loading.read_sampler(scans / "p.npz").reference == "group=control"
    brain = ["--family", "cohort", "--factors", 1, "--guard", 1, "--covariate", "age"]
    done = invoke("sampler", "fit", table, "-o", scans / "c.npz", *brain, "--covariate", "sex")
    assert done.exit_code == 0, done.output
    shown = invoke("sampler", "show", scans / "c.npz").stdout
    assert "age, sex=m" in shown
    assert "1 mm" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study.csv", "--where", "group"], "where 'group': expected COLUMN=VALUE"),
        (
            ["study.csv", "--where", "group=contrl"],
            "no scan has 'group' 'contrl'; it has 8 control",
        ),
        (["scans", "--where", "group=control"], "are of tables, but scans is none"),
        (["study.csv", "--guard", "3"], "are of --family cohort; leave them out"),
        (
            ["study.csv", "--family", "cohort", "--stationary"],
            "are of --family conditional, not of cohort",
        ),
        (["study.csv", "--family", "marginal", "--mask", "mask.nii"], "keeps whole scans"),
    ],
)
def test_bad_groups_are_one_line(scans, monkeypatch, arguments, message):
    monkeypatch.chdir(scans)
    rows = "".join(f"scans/{n}.nii.gz,control\n" for n in range(8))
    (scans / "study.csv").write_text(f"path,group\n{rows}")
    error = invoke("sampler", "fit", *arguments, "-o", "a.npz").exception
    assert isinstance(error, PreddiffError)
    assert message in str(error)
    assert "\n" not in str(error)
