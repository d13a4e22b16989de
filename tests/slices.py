"""DICOM files that several tests need: a series of slices, and the same in one file of frames."""

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)

ROW, COLUMN = np.array([0.8, 0.6, 0]), np.array([-0.6, 0.8, 0])  # directions, left and posterior
ORIGIN, GAP, PIXEL = np.array([10.0, -20.0, 30.0]), 2.5, (1.5, 0.75)  # mm; of rows, of columns
SLOPE, INTERCEPT = 2, -1024


def uids():
    return [generate_uid() for _ in range(3)]


def place_of(number, shift=0.0, gap=GAP):
    """The first pixel of a slice; `shift` mm along the columns from each slice to the next."""
    return ORIGIN + number * (gap * np.cross(ROW, COLUMN) + shift * COLUMN)


def dataset(values, series, kind=CTImageStorage):
    one = pydicom.Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID = kind
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID = generate_uid()
    one.SeriesInstanceUID, one.FrameOfReferenceUID, one.StudyInstanceUID = series
    one.PatientName, one.PatientID, one.PatientBirthDate = "Doe^Jane", "JD-1", "19700101"
    one.Modality = "CT"
    one.Rows, one.Columns = values.shape[-2:]
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 0
    one.PixelData = values.astype("<u2").tobytes()
    return one


def slice_of(number, values, series, place, **tags):
    """One slice; `tags` replaces or adds elements."""
    one = dataset(values, series)
    one.InstanceNumber = number
    one.PixelSpacing = list(PIXEL)
    one.ImageOrientationPatient = [*ROW, *COLUMN]
    one.ImagePositionPatient = list(np.round(place, 9))
    one.RescaleSlope, one.RescaleIntercept = SLOPE, INTERCEPT
    for name, value in tags.items():
        setattr(one, name, value)
    return one


def write_slice(file, number, values, series, place, **tags):
    slice_of(number, values, series, place, **tags).save_as(file, enforce_file_format=True)


def write_series(folder, stored, shift=0.0, gap=GAP, **tags):
    """A series of slices whose names are in no order."""
    folder.mkdir(exist_ok=True)
    series = uids()
    for n, values in enumerate(stored):
        name = f"IM{n * 7 % len(stored):04d}.dcm"
        write_slice(folder / name, n + 1, values, series, place_of(n, shift, gap), **tags)
    return folder


def real_world(slope, intercept):
    item = pydicom.Dataset()
    item.RealWorldValueSlope, item.RealWorldValueIntercept = float(slope), float(intercept)
    item.LUTLabel = "PHILIPS"
    return Sequence([item])


def item(**elements):
    one = pydicom.Dataset()
    for name, value in elements.items():
        setattr(one, name, value)
    return Sequence([one])


def write_enhanced(file, stored, slopes):
    """One file of frames, the last first, each with a slope of its own."""
    one = dataset(stored[::-1], uids(), EnhancedCTImageStorage)
    one.NumberOfFrames = len(stored)
    shared = pydicom.Dataset()
    shared.PixelMeasuresSequence = item(PixelSpacing=list(PIXEL), SliceThickness=GAP)
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=[*ROW, *COLUMN])
    one.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for n in reversed(range(len(stored))):
        frame = pydicom.Dataset()
        frame.PlanePositionSequence = item(ImagePositionPatient=list(np.round(place_of(n), 9)))
        frame.PixelValueTransformationSequence = item(
            RescaleSlope=slopes[n], RescaleIntercept=INTERCEPT, RescaleType="US"
        )
        frames.append(frame)
    one.PerFrameFunctionalGroupsSequence = Sequence(frames)
    one.save_as(file, enforce_file_format=True)


def check_places(volume, stored, places, slopes=None):
    """Hold the value at the place of every corner, and of one pixel within, against the headers."""
    rows, columns = stored.shape[1:]
    for n, place in enumerate(places):
        for row, column in [
            (0, 0),
            (rows - 1, 0),
            (0, columns - 1),
            (rows - 1, columns - 1),
            (2, 3),
        ]:
            where = place + row * PIXEL[0] * COLUMN + column * PIXEL[1] * ROW
            where = where * [-1, -1, 1]  # left, posterior to right, anterior
            voxel = np.linalg.solve(volume.grid.affine, [*where, 1])[2::-1]
            z, y, x = np.rint(voxel).astype(int)
            found = volume.grid.world(np.array([[z, y, x]]))[0]
            np.testing.assert_allclose(found, where, atol=0.01)  # mm
            slope = SLOPE if slopes is None else slopes[n]
            assert volume.values[0, z, y, x] == slope * stored[n, row, column] + INTERCEPT
