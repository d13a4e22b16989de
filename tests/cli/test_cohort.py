"""preddiff cohort: every option reaches the cohort that is written."""

import numpy as np
import pytest
from typer.testing import CliRunner

from preddiff import cli
from preddiff.classify import ScanTable
from preddiff.datasets import simulated_cohort
from preddiff.media import volumes

pytest.importorskip("nilearn", reason="nilearn ships the template")


def test_a_cohort_is_written_as_asked_and_written_again(tmp_path):
    options = ["cohort", "-o", str(tmp_path), "--subjects", "4", "--effect", "individual"]
    varied = ["--bend", "2", "--shading", "8", "--loss", "20"]
    done = CliRunner().invoke(cli.app, [*options, "--seed", "3", "--spacing", "6", *varied])
    assert done.output.splitlines()[-1] == str(tmp_path / "table.csv")
    expected = simulated_cohort(
        seed=3, subjects=4, effect="individual", spacing=6, bend=2, shading=8, loss=20
    )
    table = ScanTable.read(tmp_path / "table.csv")
    for path, scan in zip(table.paths, expected.scans, strict=True):
        np.testing.assert_array_equal(volumes.read(path).values, scan)
    truth = volumes.read_mask(tmp_path / "truth" / "subject_001.nii.gz", expected.grid)
    np.testing.assert_array_equal(truth, expected.truth(1))
    again = CliRunner().invoke(cli.app, [*options, "--seed", "4", "--spacing", "6", "--overwrite"])
    assert again.exit_code == 0
    assert not np.array_equal(volumes.read(table.paths[0]).values, expected.scans[0])
