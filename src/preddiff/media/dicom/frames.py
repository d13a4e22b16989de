"""Frames of DICOM files: where each lies, and what its stored numbers mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset

Vector = Annotated[NDArray[np.float64], "3"]
"""Millimetres towards left, posterior and superior (PS3.3, C.7.6.2.1.1)."""

Stored = Annotated[NDArray[np.generic], "row column"]
"""Pixels as the file has them."""


@dataclass(frozen=True, eq=False)
class Scale:
    """The rescale of a file's stored numbers, and the real-world values beside it.

    Attributes
    ----------
    slope, intercept : of the rescale; 1 and 0 where there is none.
    real_world : slope and intercept of each real-world value map.
    """

    slope: float
    intercept: float
    real_world: tuple[tuple[float, float], ...] = ()

    @property
    def is_contradicted(self) -> bool:
        """True if a real-world value map gives other values than the rescale."""
        own = (self.slope, self.intercept)
        return any(not np.allclose(own, other, rtol=1e-6) for other in self.real_world)


@dataclass(frozen=True, eq=False)
class Frame:
    """A slice: a file of its own, or one of the frames in a file.

    Attributes
    ----------
    file, index : where its pixels are.
    shape : rows and columns.
    origin : the middle of its first pixel.
    right, down : the steps from a column to the next, and from a row to the next.
    thickness, spacing : what the header says (SliceThickness, SpacingBetweenSlices); None where
        it says nothing.
    number : InstanceNumber, where the file is one slice.
    """

    file: Path
    index: int
    shape: tuple[int, int]
    origin: Vector
    right: Vector
    down: Vector
    scale: Scale
    thickness: float | None = None
    spacing: float | None = None
    number: int | None = None

    @property
    def normal(self) -> Vector:
        """Unit vector along which slices are ordered: down × right, so that with the rows and the
        columns it is a right-handed system.
        """
        normal = np.cross(self.down, self.right)
        return np.asarray(normal / np.linalg.norm(normal))

    @property
    def corners(self) -> Annotated[NDArray[np.float64], "corner 3"]:
        """The positions of the middles of its four corner pixels."""
        rows, columns = self.shape
        at = [(0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1)]
        return np.array([self.origin + y * self.down + x * self.right for y, x in at])


def frames_of(file: Path, header: Dataset) -> list[Frame]:
    """Return the frames that the header of a file describes.

    Raises
    ------
    InputError
        If it does not say where each of them lies, or they are in colour.
    """
    if header.get("SamplesPerPixel", 1) != 1 or header.get("PhotometricInterpretation") in {
        "PALETTE COLOR"
    }:
        raise InputError(f"{file}: a picture in colour, expected slices of a scan; convert it")
    groups = header.get("PerFrameFunctionalGroupsSequence")
    count = int(header.get("NumberOfFrames", None) or 1)
    if groups is None and count > 1:
        raise InputError(
            f"{file}: has {count} frames and does not say where each lies, expected an enhanced "
            "multi-frame file or one file for each slice; convert it to NIfTI"
        )
    if groups is not None and len(groups) != count:
        raise InputError(f"{file}: describes {len(groups)} frames of {count}; get it anew")
    return [_frame(file, header, index) for index in range(count)]


def rescaled(stored: Stored, header: Dataset, scale: Scale) -> NDArray[np.float64]:
    """Return what the stored numbers of a frame mean."""
    if "ModalityLUTSequence" in header:
        from pydicom.pixels.processing import apply_modality_lut

        return np.asarray(apply_modality_lut(stored, header), dtype=np.float64)
    return stored.astype(np.float64) * scale.slope + scale.intercept


def _frame(file: Path, header: Dataset, index: int) -> Frame:
    def part(name: str) -> Dataset:
        return _group(header, index, name)

    origin = _numbers(file, part("PlanePositionSequence"), "ImagePositionPatient", 3)
    directions = _numbers(file, part("PlaneOrientationSequence"), "ImageOrientationPatient", 6)
    measures = part("PixelMeasuresSequence")
    between_rows, between_columns = _numbers(file, measures, "PixelSpacing", 2)
    number = header.get("InstanceNumber")
    return Frame(
        file,
        index,
        (int(header.Rows), int(header.Columns)),
        origin,
        directions[:3] * between_columns,
        directions[3:] * between_rows,
        _scale(file, header, index),
        _length(measures, "SliceThickness"),
        _length(measures, "SpacingBetweenSlices"),
        None if number is None else int(number),
    )


def _scale(file: Path, header: Dataset, index: int) -> Scale:
    own = _group(header, index, "PixelValueTransformationSequence")
    maps = _groups(header, index, "RealWorldValueMappingSequence")
    slope, intercept = own.get("RescaleSlope"), own.get("RescaleIntercept")
    if slope is not None and not float(slope):  # PS3.3, C.11.1: the slope shall not be 0
        raise InputError(f"{file}: RescaleSlope is 0, which leaves no values; correct it")
    return Scale(
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        tuple(
            (float(one.RealWorldValueSlope), float(one.RealWorldValueIntercept))
            for one in maps
            if "RealWorldValueSlope" in one and "RealWorldValueIntercept" in one
        ),
    )


def _group(header: Dataset, index: int, name: str) -> Dataset:
    """The first item of a frame's functional group; the header itself where it has none."""
    items = _groups(header, index, name)
    return items[0] if items else header


def _groups(header: Dataset, index: int, name: str) -> list[Dataset]:
    # PS3.3, C.7.6.16: a group is either each frame's own, or shared by all; classic files have its
    # elements at the top.
    per_frame = header.get("PerFrameFunctionalGroupsSequence")
    shared = header.get("SharedFunctionalGroupsSequence")
    owners = [per_frame[index]] if per_frame else []
    owners += [shared[0]] if shared else []
    for owner in [*owners, header]:
        if items := owner.get(name):
            return list(items)
    return []


def _numbers(file: Path, owner: Dataset, name: str, count: int) -> Vector:
    values = owner.get(name)
    if values is None or len(values) != count:
        raise InputError(
            f"{file}: no {name} of {count} numbers, expected a slice of a scan; if it is a "
            "picture, convert it to PNG"
        )
    numbers = np.array([float(value) for value in values])
    if not np.isfinite(numbers).all():
        raise InputError(f"{file}: {name} has values that are NaN or infinite; correct it")
    return numbers


def _length(owner: Dataset, name: str) -> float | None:
    """A length in millimetres, which some programs write with a sign or as 0."""
    value = owner.get(name)
    return abs(float(value)) or None if value not in {None, ""} else None
