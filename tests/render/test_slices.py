"""Slices through volumes: left on the left, whatever order and direction a file's axes have."""

import itertools

import nibabel
import numpy as np
import pytest
from nibabel.affines import from_matvec
from nibabel.orientations import axcodes2ornt

import preddiff
from preddiff.errors import SettingError
from preddiff.media import volumes
from preddiff.media.grid import Grid
from preddiff.models import Linear
from preddiff.render import colours
from preddiff.render.slices import PLANES, Plane
from preddiff.render.strips import Strip, cuts_through, peak, strips
from preddiff.results.explanation import Explanation
from preddiff.samplers import Constant

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


def test_only_what_is_above_the_share_is_coloured():
    under = np.full((6, 3), 130, dtype=np.uint8)
    values = np.array([2.0, 0.31, 0.29, np.nan, -0.31, -2.0])
    red, pale, none, unknown, bluish, blue = colours.laid(under, values, 2.0, 0.15).astype(int)
    assert none.tolist() == unknown.tolist() == [130] * 3
    assert red[0] > 2 * red[2]
    assert blue[2] > 2 * blue[0]
    assert pale[0] > pale[2] + 30  # no grey
    assert bluish[2] > bluish[0] + 30


def test_the_peak_is_the_largest_absolute_value():
    values = np.full((3, 4, 5), np.nan)
    values[0, 1, 2], values[2, 3, 4] = 1, -2
    assert peak(values) == (2, 3, 4)


@pytest.fixture
def explanation(rng):
    """Of a scan that is stored from left to left, with one bright voxel that decides."""
    scan = np.ones((1, 6, 7, 8), dtype=np.float32)
    scan[0, 2, 3, 6] = 5
    weights = np.zeros(scan.shape)
    weights[0, 2, 3, 6] = 0.5
    model = Linear(weights, -1.0, labels=["$\\frac{ b$", "patient"])
    e = preddiff.explain(model, scan, "all", sampler=Constant(1.0), window=1)
    affine = from_matvec(np.diag([-2.0, 2, 2]), (7, -6, -4))
    return Explanation(e.data.assign(affine=(("world", "voxel"), affine, {})))


def test_the_figure_of_a_volume_goes_through_its_peak(explanation, tmp_path):
    figure = preddiff.figure(explanation)
    panels, bars = figure.axes[:-2], figure.axes[-2:]
    assert len(panels) == 2 * 6
    assert [p.get_title(loc="left") for p in panels[:6:2]] == [
        "sagittal, x = −5 mm", "coronal, y = 0 mm", "axial, z = 0 mm",
    ]  # fmt: skip
    coronal, reverse = (p.get_images()[0].get_array().astype(int) for p in panels[8:10])
    rows, columns = np.nonzero(coronal[..., 0] > coronal[..., 2] + 50)
    assert (rows.tolist(), columns.tolist()) == ([3], [1])  # on the left, where x is negative
    grey = np.delete(coronal.reshape(-1, 3), 3 * 8 + 1, axis=0)
    np.testing.assert_array_equal(np.delete(reverse.reshape(-1, 3), 3 * 8 + 1, axis=0), 255 - grey)
    letters = [text.get_text() for text in panels[8].texts]
    assert letters == ["L", "R", "I", "S"]
    assert "bits" in bars[0].get_ylabel()
    low, high = bars[0].get_ylim()
    assert low == -high == -colours.limit(explanation.relevance.values[0])
    assert "not for diagnosis" in figure.get_suptitle()
    assert "15%" in figure.get_supxlabel()
    labels = [text.get_text() for panel in (panels[0], panels[6]) for text in panel.texts]
    assert any("patient\np = 0.8176" in label for label in labels)
    figure.savefig(tmp_path / "figure.png")


def test_strips_of_different_maps_have_their_own_scales(rng, tmp_path):
    scan = rng.random((5, 6, 7))
    rows = [
        Strip("weights", scan, scan - 0.5, None, [("axial", 2)], "weight", threshold=0.1),
        Strip("flat", np.zeros_like(scan), 0 * scan, None, [("axial", 1), ("coronal", 2)], "bits",
              outline=scan > 0.5),
    ]  # fmt: skip
    figure = strips(rows, "two maps")
    assert [bar.get_ylabel() for bar in figure.axes[-2:]] == ["weight", "bits"]
    assert figure.axes[-1].get_ylim() == (-1, 1)
    assert "10% or 15%" in figure.get_supxlabel()
    assert "green: where the scan truly differs" in figure.get_supxlabel()
    figure.savefig(tmp_path / "figure.png")


def test_all_planes_have_a_name():
    assert PLANES == ("sagittal", "coronal", "axial")
