"""Where voxels lie, what axes are called, and when two grids are the same."""

import numpy as np
import pytest

from preddiff.errors import SettingError
from preddiff.media.grid import Grid
from scans import AFFINES, OBLIQUE


@pytest.mark.parametrize(
    ("name", "codes", "sagittal"),
    [("RAS", "RAS", 2), ("LAS", "LAS", 2), ("PIR", "PIR", 0), ("oblique", "RAS", 2)],
)
def test_axes_have_names(name, codes, sagittal):
    grid = Grid((5, 4, 3), AFFINES[name])
    assert "".join(grid.axis_codes) == codes
    assert grid.axis("sagittal") == sagittal
    assert [grid.axis(axis) for axis in "xyz"] == [2, 1, 0]
    with pytest.raises(SettingError, match="axis 'w': expected x, y, z, sagittal, coronal, axial"):
        grid.axis("w")


def test_grids_are_alike_to_a_hundredth_of_a_voxel():
    grid = Grid((50, 60, 40), OBLIQUE)
    moved = OBLIQUE.copy()
    moved[0, 3] += 0.01
    assert grid.is_like(Grid((50, 60, 40), moved))
    moved[0, 3] += 0.1
    assert not grid.is_like(Grid((50, 60, 40), moved))
    assert not grid.is_like(Grid((50, 60, 41), OBLIQUE))
    assert not grid.is_like(Grid((50, 60, 40), OBLIQUE @ np.diag([1.001, 1, 1, 1])))
    assert str(Grid((5, 4, 3), AFFINES["LAS"])) == (
        "3×4×5 voxels of 2×2×3 mm (LAS) from (20, -30, -40)"
    )
