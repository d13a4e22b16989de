"""DICOM files that claim or unpack to more than they may are refused before the memory is taken."""

import io
import struct

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import DeflatedExplicitVRLittleEndian

import slices
from preddiff.errors import InputError
from preddiff.media import reading, volumes


def shipped(name):
    """A slice that pydicom ships, with all that a volume of one slice needs."""
    one = pydicom.dcmread(get_testdata_file(f"{name}.dcm"))
    one.ImagePositionPatient, one.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    one.PixelSpacing, one.SliceThickness = [1, 1], 5
    return one


def deflated(file, values):
    one = slices.slice_of(0, values, slices.uids(), slices.ORIGIN, SliceThickness=4)
    one.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    pydicom.dcmwrite(file, one, implicit_vr=False, little_endian=True)
    return file


@pytest.mark.filterwarnings("ignore:.*one slice")
def test_a_deflated_file_is_counted_before_it_is_unpacked(tmp_path, rng, monkeypatch):
    values = rng.integers(0, 2000, size=(6, 5))
    file = deflated(tmp_path / "a.dcm", values)
    np.testing.assert_array_equal(
        volumes.read(file).values[0, 0], values * slices.SLOPE + slices.INTERCEPT
    )
    bomb = deflated(tmp_path / "bomb.dcm", np.zeros((4000, 4000), np.uint16))
    assert bomb.stat().st_size < 100_000
    monkeypatch.setenv(reading.MEMORY_VARIABLE, "0.05")
    unpacked = []
    monkeypatch.setattr(pydicom.filereader, "DicomBytesIO", lambda b: unpacked.append(b))
    with pytest.raises(InputError, match="reading it would take 0.1 GiB of memory"):
        volumes.read(bomb)
    assert not unpacked


@pytest.mark.parametrize(
    ("name", "mark", "at", "size"),
    [
        ("MR_small_jpeg_ls_lossless", b"\xff\xf7", 5, struct.pack(">HH", 32000, 30000)),
        ("MR_small_jp2klossless", b"\xff\x51", 6, struct.pack(">II", 30000, 32000)),
    ],
)
def test_a_coded_frame_that_claims_another_size_is_refused(tmp_path, name, mark, at, size):
    one = shipped(name)
    frame = bytearray(next(generate_frames(one.PixelData, number_of_frames=1)))
    start = frame.find(mark) + at
    frame[start : start + len(size)] = size
    one.PixelData = encapsulate([bytes(frame)])
    one.save_as(tmp_path / "a.dcm")
    with (
        pytest.warns(Warning, match="one slice"),
        pytest.raises(InputError, match="a coded frame is not of the 64×64 pixels"),
    ):
        volumes.read(tmp_path / "a.dcm")


@pytest.mark.filterwarnings("ignore:.*one slice")
@pytest.mark.parametrize(
    "name",
    ["MR_small_jpeg_ls_lossless", "MR_small_jp2klossless", "MR_small_RLE", "JPEG2000", "MR_small"],
)
def test_sound_frames_of_every_coding_are_read(tmp_path, name):
    one = shipped(name)
    one.save_as(tmp_path / "a.dcm")
    slope, intercept = one.get("RescaleSlope", 1), one.get("RescaleIntercept", 0)
    own = one.pixel_array * float(slope) + float(intercept)
    np.testing.assert_array_equal(volumes.read(tmp_path / "a.dcm").values[0, 0], own)


@pytest.mark.parametrize("rows", [2**15, 2**16 - 1])
def test_a_header_that_claims_more_than_memory_is_refused(tmp_path, rows):
    series = slices.write_series(tmp_path / "s", np.zeros((4, 6, 5)))
    for file in series.iterdir():
        one = pydicom.dcmread(file)
        one.Rows, one.Columns = rows, 2**14
        one.save_as(file)
    with pytest.raises(InputError, match=r"of memory, more than|voxels: expected at most"):
        volumes.read(series)


def test_runs_of_one_value_cannot_unpack_without_limit(tmp_path, monkeypatch):
    one = shipped("MR_small_RLE")
    head = struct.pack("<16I", 1, 64, *(0,) * 14)
    one.PixelData = encapsulate([head + b"\x81\x00" * 50_000])
    one.save_as(tmp_path / "a.dcm")
    monkeypatch.setenv(reading.MEMORY_VARIABLE, "0.005")
    with (
        pytest.warns(Warning, match="one slice"),
        pytest.raises(InputError, match="reading it would take"),
    ):
        volumes.read(tmp_path / "a.dcm")


def test_elements_are_read_from_a_plain_file_only(tmp_path):
    from preddiff.media.dicom import content

    written = io.BytesIO()
    pydicom.dcmwrite(written, shipped("MR_small"))
    (tmp_path / "a.dcm").write_bytes(written.getvalue())
    assert "PixelData" not in content.read(tmp_path / "a.dcm", with_pixels=False)
    (tmp_path / "zero.dcm").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="a pipe or a device"):
        content.read(tmp_path / "zero.dcm", with_pixels=True)
