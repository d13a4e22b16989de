"""A folder of DICOM slices is the volume that they were cut from."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from preddiff.errors import InputError
from preddiff.media import maps, volumes

ROW, COLUMN = np.array([0.8, 0.6, 0]), np.array([-0.6, 0.8, 0])  # directions, left and posterior
ORIGIN, GAP, PIXEL = np.array([10.0, -20.0, 30.0]), 2.5, (1.5, 0.75)  # mm; of rows, of columns


def write_slice(file, number, values, series, place):
    one = pydicom.Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID = CTImageStorage
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID = generate_uid()
    one.SeriesInstanceUID, one.FrameOfReferenceUID, one.StudyInstanceUID = series
    one.PatientName, one.PatientID, one.PatientBirthDate = "Doe^Jane", "JD-1", "19700101"
    one.Modality, one.InstanceNumber = "CT", number
    one.Rows, one.Columns = values.shape
    one.PixelSpacing = list(PIXEL)
    one.ImageOrientationPatient = [*ROW, *COLUMN]
    one.ImagePositionPatient = list(place)
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 0
    one.RescaleSlope, one.RescaleIntercept = 2, -1024
    one.PixelData = values.astype("<u2").tobytes()
    one.save_as(file, enforce_file_format=True)


@pytest.fixture
def series(tmp_path, rng):
    """Four slices whose names are in no order, and what is stored in them (slice, row, column)."""
    stored = rng.integers(0, 2000, size=(4, 6, 5))
    folder = tmp_path / "series"
    folder.mkdir()
    uids = [generate_uid() for _ in range(3)]
    for n, name in enumerate("cadb"):
        place = ORIGIN + n * GAP * np.cross(ROW, COLUMN)
        write_slice(folder / name, n + 1, stored[n], uids, place)
    return folder, stored


def test_values_and_places(series):
    folder, stored = series
    assert volumes.is_volume(folder)
    volume = volumes.read(folder)
    assert volume.values.shape == (1, 4, 6, 5)
    for n, row, column in [(0, 0, 0), (3, 5, 4), (1, 2, 3)]:
        where = ORIGIN + n * GAP * np.cross(ROW, COLUMN)
        where = where + row * PIXEL[0] * COLUMN + column * PIXEL[1] * ROW
        where = where * [-1, -1, 1]  # left, posterior to right, anterior
        voxel = np.linalg.solve(volume.grid.affine, [*where, 1])[2::-1]
        np.testing.assert_allclose(voxel, np.rint(voxel), atol=1e-4)
        z, y, x = np.rint(voxel).astype(int)
        assert volume.values[0, z, y, x] == 2 * stored[n, row, column] - 1024


def test_nothing_of_the_patient_is_in_a_map(series, tmp_path):
    volume = volumes.read(series[0])
    content = maps.write(volume.values[0], volume.grid, tmp_path / "map.nii").read_bytes()
    for text in (b"Doe", b"JD-1", b"1970"):
        assert text not in content


def drop(folder):
    (folder / "a").unlink()


def mix(folder):
    uids = [generate_uid() for _ in range(3)]
    write_slice(folder / "other", 9, np.zeros((6, 5), int), uids, ORIGIN)


def cut(folder):
    (folder / "c").write_bytes((folder / "c").read_bytes()[:-20])


@pytest.mark.parametrize(
    ("spoil", "message"), [(drop, "not one volume"), (mix, "holds 2 series"), (cut, "not one vol")]
)
def test_a_series_that_is_no_volume(series, spoil, message):
    spoil(series[0])
    with pytest.raises(InputError, match=message) as told:
        volumes.read(series[0])
    assert len(str(told.value).splitlines()) == 1


def test_a_folder_without_slices(tmp_path):
    assert not volumes.is_volume(tmp_path)
    with pytest.raises(InputError, match="a folder without DICOM slices"):
        volumes.read(tmp_path)
