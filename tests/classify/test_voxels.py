"""The voxels that a classifier looks at."""

import numpy as np
import pytest

from preddiff.classify import Voxels
from preddiff.media import maps, volumes
from small_study import SHAPE, write_small_study


@pytest.fixture
def study(tmp_path, rng):
    return write_small_study(tmp_path, rng)


@pytest.mark.parametrize(
    ("slices", "chosen"),
    [
        ("x:1:3", np.s_[:, :, 1:3]),
        ("z:0:1", np.s_[0:1]),
        ("sagittal:2:6", np.s_[:, :, 2:6]),
        ("coronal:4:5", np.s_[:, 4:5]),
    ],
)
def test_slices_and_masks(study, slices, chosen):
    grid = volumes.read(study / "scan00.nii.gz").grid
    mask = np.zeros(SHAPE)
    mask[:, :, :5] = 1
    maps.write(mask, grid, study / "mask.nii")
    expected = np.zeros(SHAPE, bool)
    expected[chosen] = True
    voxels = Voxels.choose(grid, study / "mask.nii", slices)
    assert (voxels.mask == (expected & (mask > 0))).all()
    values = voxels.read([study / "scan03.nii.gz"])
    np.testing.assert_array_equal(
        values[0], volumes.read(study / "scan03.nii.gz").values[0, voxels.mask]
    )
