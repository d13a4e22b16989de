"""Scans in files: values to the bit, nothing flipped, masks and resampling in the world."""

import math
import struct

import nibabel
import numpy as np
import pytest

from conftest import DATA, needs_data
from preddiff.errors import InputError
from preddiff.media import maps, volumes
from preddiff.media.grid import Grid
from scans import AFFINES, OBLIQUE


def test_arrays_are_the_file_s_axes_reversed_and_nothing_else(path):
    volume = volumes.read(path)
    stored = nibabel.load(path)
    assert volume.values.dtype == np.float32
    assert volume.values.shape == (1, 8, 9, 7)
    for x, y, z in [(0, 0, 0), (6, 0, 3), (2, 8, 7)]:
        assert volume.values[0, z, y, x] == stored.get_fdata()[x, y, z]
        where = volume.grid.world(np.array([[z, y, x]]))[0]
        np.testing.assert_allclose(where, nibabel.affines.apply_affine(stored.affine, (x, y, z)))


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float64])
def test_slope_and_intercept_are_respected(tmp_path, dtype):
    stored = np.arange(24).reshape(2, 3, 4).astype(dtype)
    image = nibabel.Nifti1Image(stored, np.eye(4), dtype=dtype)
    image.header.set_slope_inter(0.5, -1024)
    image.to_filename(tmp_path / "a.nii")
    with (tmp_path / "a.nii").open("r+b") as file:
        file.seek(112)
        file.write(struct.pack("<ff", 0.5, -1024))
        file.seek(352)
        file.write(stored.tobytes(order="F"))
    expected = stored.T[None] * 0.5 - 1024
    np.testing.assert_allclose(volumes.read(tmp_path / "a.nii").values, expected)


@pytest.mark.parametrize(
    ("slope", "intercept", "message"),
    [(math.nan, math.nan, None), (0, 5, None), (math.nan, 7, None), (2, math.nan, "intercept nan")],
)
def test_a_scale_that_is_no_number_is_none_or_refused(tmp_path, slope, intercept, message):
    """NIfTI: a slope of 0 means that values are as stored; nibabel writes NaN for it."""
    stored = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    path = tmp_path / "scan.nii"
    nibabel.Nifti1Image(stored, AFFINES["RAS"]).to_filename(path)
    content = bytearray(path.read_bytes())
    content[112:120] = struct.pack("<ff", slope, intercept)  # scl_slope, scl_inter
    path.write_bytes(content)
    if message is None:
        np.testing.assert_array_equal(volumes.read(path).values[0], stored.T)
        return
    with pytest.raises(InputError, match=message):
        volumes.read(path)


def test_what_nibabel_holds_in_memory_is_read_the_same(path):
    image = nibabel.load(path)
    volume = volumes.from_image(image)
    assert (volume.values == volumes.read(path).values).all()
    assert not image.in_memory


def test_a_fourth_axis_of_one_is_dropped(tmp_path):
    image = nibabel.Nifti1Image(np.ones((3, 4, 5, 1), np.float32), np.eye(4))
    image.to_filename(tmp_path / "a.nii")
    assert volumes.read(tmp_path / "a.nii").values.shape == (1, 5, 4, 3)


def test_a_mask_is_where_a_volume_is_above_zero(tmp_path, path):
    volume = volumes.read(path)
    marked = np.full(volume.grid.shape, 1e-15)
    marked[3, 4, 5] = 2
    maps.write(marked, volume.grid, tmp_path / "mask.nii")
    assert np.argwhere(volumes.read_mask(tmp_path / "mask.nii", volume.grid)).tolist() == [
        [3, 4, 5]
    ]


def test_a_mask_of_another_shape(tmp_path, path):
    grid = volumes.read(path).grid
    maps.write(np.ones((3, 3, 3)), Grid((3, 3, 3), OBLIQUE), tmp_path / "mask.nii")
    with pytest.raises(InputError, match=r"a mask of 3×3×3 voxels .*: expected the scan's 7×9×8"):
        volumes.read_mask(tmp_path / "mask.nii", grid)


@pytest.mark.parametrize("resampled", [False, True])
def test_a_mask_without_codes_is_never_mirrored(tmp_path, path, resampled):
    grid = volumes.read(path).grid
    silent = nibabel.Nifti1Image(np.ones(grid.shape[::-1], np.float32), None)
    silent.to_filename(tmp_path / "mask.nii")
    with pytest.raises(InputError, match=r"mask.nii: a mask .* a mask does not say which side"):
        volumes.read_mask(tmp_path / "mask.nii", grid, resampled=resampled)


@pytest.mark.parametrize("name", AFFINES)
def test_resampling_keeps_the_place_in_the_world(name):
    grid = Grid((30, 30, 30), AFFINES[name])
    values = np.zeros((1, *grid.shape), np.float32)
    values[0, 20, 10, 15] = 1
    fine = Grid((90, 90, 90), AFFINES[name] @ np.diag([1 / 3, 1 / 3, 1 / 3, 1]))
    moved = volumes.resample(volumes.Volume(values, grid), fine)
    peak = np.argwhere(moved.values[0] == moved.values.max())
    expected = grid.world(np.array([[20, 10, 15]]))
    np.testing.assert_allclose(fine.world(peak), expected, atol=1e-6)
    assert moved.grid is fine


@pytest.mark.parametrize("name", ["a/s.nii.gz", "s.t.NII.GZ", "s.img", "c.jpg"])
def test_names(name):
    assert volumes.is_volume(name) == (not name.endswith("jpg"))


@needs_data
def test_a_real_lesion_map():
    volume = volumes.read(DATA / "volumes" / "lesymap" / "Subject_001.nii.gz")
    assert str(volume.grid) == "181×217×181 voxels of 1×1×1 mm (RAS) from (-90, -125, -71)"
    assert set(np.unique(volume.values)) == {0, 1}
