"""A scan is read by what its file holds, whatever the name says of packing or capitals."""

import gzip

import nibabel
import numpy as np
import pytest

from preddiff.errors import InputError
from preddiff.media import volumes
from scans import OBLIQUE

SHAPE, MARK = (4, 5, 6), (1, 2, 3)
PLACE = (OBLIQUE @ [*MARK, 1])[:3]  # mm


@pytest.fixture
def marked():
    values = np.zeros(SHAPE, np.int16)
    values[MARK] = 7
    return values


def check(file):
    volume = volumes.read(file)
    assert volume.values.shape == (1, *SHAPE[::-1])
    (voxel,) = np.argwhere(volume.values[0] == 7)
    np.testing.assert_allclose(volume.grid.world(voxel[None])[0], PLACE, atol=1e-4)
    assert (volume.values != 0).sum() == 1


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("a.nii", False),
        ("a.nii", True),
        ("a.nii.gz", False),
        ("a.nii.gz", True),
        ("A.NII", False),
        ("A.NII.GZ", True),
        ("A.NII.GZ", False),
        ("A.Nii.Gz", True),
    ],
)
def test_names_do_not_decide_what_a_scan_is(tmp_path, marked, kind, name, packed):
    content = kind(marked, OBLIQUE).to_bytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    check(tmp_path / name)


@pytest.mark.parametrize("name", ["a.mgh", "a.mgz", "A.MGZ"])
@pytest.mark.parametrize("packed", [True, False])
def test_scans_of_freesurfer_are_read(tmp_path, marked, name, packed):
    content = nibabel.MGHImage(marked, OBLIQUE).to_bytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    assert volumes.is_volume(tmp_path / name)
    check(tmp_path / name)


def test_a_scan_of_freesurfer_without_directions_is_refused(tmp_path, marked):
    content = bytearray(nibabel.MGHImage(marked, OBLIQUE).to_bytes())
    content[28:30] = b"\0\0"
    (tmp_path / "a.mgz").write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(InputError, match="does not say where its voxels lie"):
        volumes.read(tmp_path / "a.mgz")


@pytest.mark.parametrize("name", ["a.mgz", "a.nii", "a.nii.gz"])
@pytest.mark.parametrize(
    "content", [b"hello" * 200, gzip.compress(b"hello" * 200, mtime=0), b"\x1f\x8bno"]
)
def test_what_is_no_scan_is_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as told:
        volumes.read(tmp_path / name)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("lead", [(), (1,), (1, 1)])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img"])
def test_one_volume_of_four_dimensions_lies_where_it_did(tmp_path, marked, name, lead):
    kind = nibabel.Spm99AnalyzeImage if name == "a.img" else nibabel.Nifti1Image
    kind(marked.reshape(SHAPE + lead), OBLIQUE).to_filename(tmp_path / name)
    check(tmp_path / name)  # an .img without its .mat would warn
    assert volumes.from_image(nibabel.load(tmp_path / name)).values.max() == 7


def test_scaled_values_do_not_depend_on_the_number_of_dimensions(tmp_path, rng):
    values = rng.normal(100, 10, size=SHAPE)
    for name, lead in (("three.nii", ()), ("four.nii", (1,))):
        image = nibabel.Nifti1Image(values.reshape(SHAPE + lead), OBLIQUE)
        image.set_data_dtype(np.int16)
        image.to_filename(tmp_path / name)
    three, four = (volumes.read(tmp_path / f"{name}.nii").values for name in ("three", "four"))
    np.testing.assert_array_equal(three, four)
    own = nibabel.load(tmp_path / "three.nii").get_fdata(dtype=np.float32)
    np.testing.assert_array_equal(three[0], own.T)


@pytest.mark.parametrize(("at", "value"), [(12, 2**17), (30, 0), (34, 0x7F800000)])
def test_a_damaged_scan_of_freesurfer_is_one_line(tmp_path, marked, at, value):
    content = bytearray(nibabel.MGHImage(marked, OBLIQUE).to_bytes())
    content[at : at + 4] = value.to_bytes(4, "big")  # a length, a size of voxels, a direction
    (tmp_path / "a.mgh").write_bytes(content)
    with pytest.raises(InputError) as told:
        volumes.read(tmp_path / "a.mgh")
    assert len(str(told.value).splitlines()) == 1
