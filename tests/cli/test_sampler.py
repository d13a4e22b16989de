"""preddiff sampler fit, on folders of volumes."""

import numpy as np
import pytest
from typer.testing import CliRunner

from preddiff import cli
from preddiff.errors import PreddiffError
from preddiff.samplers import ConditionalGaussian
from preddiff.samplers import load as loading


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_the_command_line_fits_folders_of_volumes(scans, cohort):
    fit = ["sampler", "fit", scans / "scans", "--patch", 3]
    done = invoke(*fit, "-o", scans / "l.npz", "--grid", "2,3,2", "--mask", scans / "mask.nii")
    assert done.exit_code == 0, done.output
    located = loading.read_sampler(scans / "l.npz")
    assert located.grid.cells == (2, 3, 2)
    assert len(located.fitted) == 6
    assert "cells fitted" in invoke("sampler", "show", scans / "l.npz").stdout
    assert invoke(*fit, "-o", scans / "c.npz").exit_code == 0
    expected = ConditionalGaussian.fit(cohort[:8], patch=3)
    np.testing.assert_allclose(loading.read_sampler(scans / "c.npz").mean, expected.mean)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--grid", "a,b"], "--grid a,b: expected whole numbers"),
        (["--grid", "2,2"], "expected 3 numbers of cells"),
        (["--model", "embedded"], "--model and --channels are for pictures"),
    ],
)
def test_fits_that_the_command_line_refuses(scans, options, message):
    fit = ["sampler", "fit", scans / "scans", "--patch", 3, "-o", scans / "l.npz"]
    with pytest.raises(PreddiffError, match=message):
        CliRunner().invoke(cli.app, [str(a) for a in [*fit, *options]], catch_exceptions=False)
