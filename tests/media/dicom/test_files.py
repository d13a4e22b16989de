"""Every slice of a folder is found, and what is none is left out or refused."""

import pydicom
import pytest

import slices
from preddiff.errors import InputError
from preddiff.media import volumes

PREAMBLE = 132


@pytest.fixture
def stored(rng):
    return rng.integers(0, 2000, size=(10, 6, 5))


@pytest.fixture
def series(tmp_path, stored):
    return slices.write_series(tmp_path / "series", stored)


@pytest.mark.parametrize("meta", [True, False])
def test_slices_without_the_preamble_are_not_lost(series, stored, meta):
    for name in ("IM0003.dcm", "IM0004.dcm", "IM0007.dcm"):
        content = (series / name).read_bytes()
        head = PREAMBLE
        if not meta:  # the group of what describes the file is left out as well
            head += 12 + pydicom.dcmread(series / name).file_meta.FileMetaInformationGroupLength
        (series / name).write_bytes(content[head:])
    volume = volumes.read(series)
    assert volume.values.shape[1] == 10
    slices.check_places(volume, stored, [slices.place_of(n) for n in range(10)])


@pytest.mark.parametrize("implicit", [True, False])
def test_a_series_without_any_preamble_is_read(tmp_path, stored, implicit):
    folder = tmp_path / "bare"
    folder.mkdir()
    series = slices.uids()
    for n, values in enumerate(stored):
        one = slices.slice_of(n, values, series, slices.place_of(n))
        del one.file_meta
        one.save_as(folder / str(n), implicit_vr=implicit, little_endian=True)
    assert volumes.is_volume(folder)
    slices.check_places(volumes.read(folder), stored, [slices.place_of(n) for n in range(10)])


@pytest.mark.parametrize("content", [b"", b"\0" * 4000, b"\x93\0\x12" * 50])
def test_a_damaged_slice_is_never_dropped_silently(series, content):
    (series / "IM0009.dcm").write_bytes(content)
    with pytest.raises(InputError, match=r"IM0009.dcm: no DICOM file, but named like the slices"):
        volumes.read(series)


def write_directory(file):
    one = slices.pydicom.Dataset()
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    one.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    one.FileSetID = "DISC"
    one.save_as(file, enforce_file_format=True)


def test_what_discs_and_macs_leave_beside_slices_is_no_slice(series, stored):
    write_directory(series / "DICOMDIR")
    (series / "._IM0001.dcm").write_bytes(b"\0\5\x16\7Mac OS X" + bytes(200))
    (series / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (series / "README.txt").write_text("of this disc")
    (series / "VERSION").write_text("3")
    report = pydicom.dcmread(series / "IM0001.dcm")
    for name in ("Rows", "Columns", "PixelData"):
        del report[name]
    report.SeriesInstanceUID = "1.2.3"
    report.save_as(series / "report.dcm")
    slices.check_places(volumes.read(series), stored, [slices.place_of(n) for n in range(10)])


def test_a_directory_names_the_folders_of_its_series(series):
    disc = series.parent
    write_directory(disc / "DICOMDIR")
    for source in (disc, disc / "DICOMDIR"):
        assert volumes.is_volume(source)
        with pytest.raises(InputError, match=r"series lie in folders below; name one \(series\)"):
            volumes.read(source)
