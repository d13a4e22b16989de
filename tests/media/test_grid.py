"""Where voxels lie, what axes are called, and when two grids are the same."""

import itertools

import numpy as np
import pytest

from preddiff.errors import SettingError
from preddiff.media.grid import Grid, Turns, mismatch
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


SILENT = {"sform_code": 0, "qform_code": 0}


def test_a_grid_that_does_not_know_sides_is_like_none_that_does():
    known, unknown = Grid((5, 4, 3), AFFINES["LAS"]), Grid((5, 4, 3), AFFINES["LAS"], SILENT)
    assert not known.is_like(unknown)
    assert not unknown.is_like(known)
    assert unknown.is_like(unknown)
    assert known.turns_to(unknown) is None
    assert "(sides unknown)" in str(unknown)


def test_who_does_not_say_which_side_is_left_is_never_told_to_resample():
    known, unknown = Grid((5, 4, 3), AFFINES["LAS"]), Grid((5, 4, 3), AFFINES["LAS"], SILENT)
    assert mismatch("a scan", known, "the model's", known, "resample it").endswith("; resample it")
    for one, other in [(known, unknown), (unknown, known), (unknown, unknown)]:
        message = mismatch("a scan", one, "the model's", other, "resample it")
        assert "resample it" not in message
        assert "set_sform" in message


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("back", list(itertools.product([False, True], repeat=3)))
@pytest.mark.parametrize("name", AFFINES)
def test_turning_moves_every_voxel_with_its_place(name, axes, back):
    grid, turns = Grid((5, 4, 3), AFFINES[name]), Turns(axes, back)
    values = np.arange(60).reshape(grid.shape)
    turned = grid.turned(turns)
    assert turned.shape == turns.applied(values).shape
    where = np.argwhere(values == 17)
    there = np.argwhere(turns.applied(values) == 17)
    np.testing.assert_allclose(grid.world(where), turned.world(there), atol=1e-9)
    np.testing.assert_array_equal(turns.undone(turns.applied(values)), values)
    assert grid.turns_to(turned) == turns
    assert turns.are_none == (axes == (0, 1, 2) and not any(back))


def test_grids_that_turning_does_not_bring_together():
    grid = Grid((5, 4, 3), AFFINES["RAS"])
    moved = grid.affine.copy()
    moved[0, 3] += 1
    for other in (
        Grid((5, 4, 3), moved),
        Grid((5, 4, 3), OBLIQUE),
        Grid((5, 4, 2), AFFINES["RAS"]),
        Grid((5, 4, 3), AFFINES["RAS"] @ np.diag([2, 1, 1, 1])),
    ):
        assert grid.turns_to(other) is None
