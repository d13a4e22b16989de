"""A folder of DICOM slices, or a file of frames, is the volume that they were cut from."""

import nibabel
import numpy as np
import pydicom
import pytest

import slices
from preddiff.errors import InputError, InputWarning
from preddiff.media import maps, volumes


@pytest.fixture
def stored(rng):
    return rng.integers(0, 2000, size=(4, 6, 5))


@pytest.fixture
def series(tmp_path, stored):
    return slices.write_series(tmp_path / "series", stored)


def test_values_and_places(series, stored):
    assert volumes.is_volume(series)
    volume = volumes.read(series)
    assert volume.values.shape == (1, 4, 6, 5)
    slices.check_places(volume, stored, [slices.place_of(n) for n in range(4)])


def test_values_are_those_that_pydicom_gives(series):
    volume = volumes.read(series)
    for file in series.iterdir():
        one = pydicom.dcmread(file)
        own = pydicom.pixels.apply_rescale(one.pixel_array, one)
        place = np.array(one.ImagePositionPatient, float) * [-1, -1, 1]
        z = np.rint(np.linalg.solve(volume.grid.affine, [*place, 1]))[2].astype(int)
        np.testing.assert_array_equal(volume.values[0, z], own)


@pytest.mark.parametrize("degrees", [0.05, 2.4, 20])
def test_a_tilted_gantry_does_not_move_any_slice(tmp_path, stored, degrees):
    shift = slices.GAP * np.tan(np.radians(degrees))
    folder = slices.write_series(tmp_path / "tilted", stored, shift)
    volume = volumes.read(folder)
    slices.check_places(volume, stored, [slices.place_of(n, shift) for n in range(4)])
    # A map lies as the scan does, whichever of the two transforms a program prefers.
    written = nibabel.load(maps.write(volume.values[0], volume.grid, tmp_path / "map.nii"))
    np.testing.assert_allclose(written.affine, volume.grid.affine, atol=1e-5)
    qform, code = written.header.get_qform(coded=True)
    assert code == 0 or np.abs((qform - written.affine) @ [5, 6, 4, 1]).max() < 0.02  # mm


def test_frames_of_one_file_are_read(tmp_path, stored):
    slopes = [2, 3, 4, 5]
    slices.write_enhanced(tmp_path / "enhanced.dcm", stored, slopes)
    for source in (tmp_path / "enhanced.dcm", tmp_path):
        volume = volumes.read(source)
        slices.check_places(volume, stored, [slices.place_of(n) for n in range(4)], slopes)


def test_real_world_values_never_replace_the_rescale_unsaid(tmp_path, stored):
    folder = slices.write_series(
        tmp_path / "philips", stored, RealWorldValueMappingSequence=slices.real_world(0.37, 0)
    )
    with pytest.warns(InputWarning, match="has two scales") as told:
        volume = volumes.read(folder)
    assert len(told) == 1
    slices.check_places(volume, stored, [slices.place_of(n) for n in range(4)])
    same = slices.real_world(slices.SLOPE, slices.INTERCEPT)
    volumes.read(slices.write_series(tmp_path / "same", stored, RealWorldValueMappingSequence=same))


def test_one_slice_in_a_file_is_told(tmp_path, stored):
    file = tmp_path / "one.dcm"
    slices.write_slice(file, 1, stored[0], slices.uids(), slices.ORIGIN, SliceThickness=4)
    with pytest.warns(InputWarning, match="one slice"):
        volume = volumes.read(file)
    slices.check_places(volume, stored[:1], [slices.ORIGIN])
    assert volume.grid.voxel_size[2] == pytest.approx(4)
    slices.write_slice(file, 1, stored[0], slices.uids(), slices.ORIGIN)
    with pytest.raises(InputError, match="does not say how thick"):
        volumes.read(file)


def test_nothing_of_the_patient_is_in_a_map(series, tmp_path):
    volume = volumes.read(series)
    content = maps.write(volume.values[0], volume.grid, tmp_path / "map.nii").read_bytes()
    for text in (b"Doe", b"JD-1", b"1970"):
        assert text not in content


def drop(folder):
    (folder / "IM0002.dcm").unlink()


def mix(folder):
    slices.write_slice(folder / "x", 9, np.zeros((6, 5), int), slices.uids(), slices.ORIGIN)


def move(folder):
    (one := pydicom.dcmread(folder / "IM0002.dcm")).FrameOfReferenceUID = "1.2.3"
    one.save_as(folder / "IM0002.dcm")


def cut(folder):
    file = folder / "IM0002.dcm"
    file.write_bytes(file.read_bytes()[:-20])


def colour(folder):
    one = pydicom.dcmread(folder / "IM0002.dcm")
    one.SamplesPerPixel = 3
    one.save_as(folder / "IM0002.dcm")


def unplaced(folder):
    one = pydicom.dcmread(folder / "IM0002.dcm")
    del one.ImagePositionPatient
    one.save_as(folder / "IM0002.dcm")


def flatten(folder):
    one = pydicom.dcmread(folder / "IM0002.dcm")
    one.RescaleSlope = 0
    one.save_as(folder / "IM0002.dcm")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop, "not one volume"),
        (mix, "holds 2 series"),
        (move, "holds 2 frames of reference"),
        (cut, "not one vol"),
        (colour, "a picture in colour"),
        (flatten, "IM0002.dcm: RescaleSlope is 0"),
        (unplaced, "no ImagePositionPatient of 3 numbers"),
    ],
)
def test_a_series_that_is_no_volume(series, spoil, message):
    spoil(series)
    with pytest.raises(InputError, match=message) as told:
        volumes.read(series)
    assert len(str(told.value).splitlines()) == 1


def test_a_folder_without_slices(tmp_path):
    assert not volumes.is_volume(tmp_path)
    with pytest.raises(InputError, match="a folder without DICOM slices"):
        volumes.read(tmp_path)
