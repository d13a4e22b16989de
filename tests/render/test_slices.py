"""Slices through volumes: left on the left, whatever order and direction a file's axes have."""

import itertools

import nibabel
import numpy as np
import pytest
from nibabel.affines import from_matvec
from nibabel.orientations import axcodes2ornt

from preddiff.errors import SettingError
from preddiff.media import volumes
from preddiff.media.grid import Grid
from preddiff.render.slices import PLANES, Plane
from preddiff.render.strips import cuts_through

CODES = [
    "".join(code)
    for axes in itertools.permutations(["LR", "PA", "IS"])
    for code in itertools.product(*axes)
]


@pytest.fixture
def upright(rng):
    """A scan whose axes lead right, anterior and superior, like none of its mirrors."""
    affine = from_matvec(np.diag([2.0, 3.0, 4.0]), (-11, -20, -31))
    return nibabel.Nifti1Image(rng.random((6, 7, 8), dtype=np.float32), affine)


def turned(image, code):
    """The same scan with its axes in another order and direction, as nibabel turns it."""
    change = nibabel.orientations.ornt_transform(
        nibabel.orientations.io_orientation(image.affine), axcodes2ornt(code)
    )
    return volumes.from_image(image.as_reoriented(change))


@pytest.mark.parametrize("code", CODES)
def test_a_scan_looks_the_same_however_it_is_stored(upright, code):
    values = np.asarray(upright.dataobj)
    expected = {"sagittal": values[2], "coronal": values[:, 4], "axial": values[:, :, 5]}
    scan = turned(upright, code)
    (voxel,) = map(tuple, np.argwhere(scan.values[0] == values[2, 4, 5]))
    for name, number in cuts_through(voxel, scan.grid):
        plane = Plane.of(scan.grid, name)
        np.testing.assert_array_equal(
            plane.cut(scan.values[0], number), expected[name].T[::-1]  # up is the first row
        )  # fmt: skip
        place = {"sagittal": "x = −7", "coronal": "y = −8", "axial": "z = −11"}[name]
        assert plane.caption(number) == f"{name}, {place} mm"
        assert plane.nearest_slice({"sagittal": -7, "coronal": -8, "axial": -11}[name]) == number
        height, width = {"sagittal": (4, 3), "coronal": (4, 2), "axial": (3, 2)}[name]
        assert plane.aspect == pytest.approx(height / width)


def test_letters_of_the_edges():
    grid = Grid((8, 7, 6), np.diag([-2.0, 2, 2, 1]))
    assert Plane.of(grid, "sagittal").letters == ("P", "A", "I", "S")
    assert Plane.of(grid, "coronal").letters == ("L", "R", "I", "S")
    assert Plane.of(grid, "axial").letters == ("L", "R", "P", "A")


@pytest.mark.parametrize("angle", [-30, 10, 40])
def test_an_oblique_scan_goes_by_the_nearest_directions_and_says_about(angle):
    turn = np.radians(angle)
    c, s = np.cos(turn), np.sin(turn)
    rotated = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag([-2.0, 2, 2])
    grid = Grid((9, 9, 9), from_matvec(rotated, -rotated @ (4, 4, 4)))
    left = np.zeros((9, 9, 9))
    left[4, 4, 7] = 1  # towards larger x, which leads left
    plane = Plane.of(grid, "axial")
    (row, column), *_ = np.argwhere(plane.cut(left, 4))
    assert (row, column) == (4, 1)
    assert plane.caption(4) == "axial, z = 0 mm"
    assert Plane.of(grid, "coronal").caption(6).startswith("coronal, y ≈ ")
    assert Plane.of(grid, "coronal").caption(6).endswith(f" {round(4 * c, 1):g} mm")


@pytest.mark.parametrize("grid", [None, Grid((3, 4, 5), np.eye(4), {"sform_code": 0,
                                                                  "qform_code": 0})])  # fmt: skip
def test_without_directions_planes_go_by_voxels(grid, rng):
    volume = rng.random((3, 4, 5))
    plane = Plane.of(grid, "sagittal")
    assert plane.letters is None
    assert plane.caption(2) == "x = voxel 2"
    np.testing.assert_array_equal(plane.cut(volume, 2), volume[::-1, :, 2])
    assert Plane.of(grid, "axial").caption(1) == "z = voxel 1"
    assert Plane.of(grid, "axial").nearest_slice(1.2) == 1


def test_an_unknown_plane():
    with pytest.raises(SettingError, match="plane 'oblique': expected one of sagittal, coronal"):
        Plane.of(None, "oblique")


def test_all_planes_have_a_name():
    assert PLANES == ("sagittal", "coronal", "axial")
