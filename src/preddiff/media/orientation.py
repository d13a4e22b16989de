"""Orientation of a scan, as its header has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError
from preddiff.media import nifti
from preddiff.media.grid import Affine, unit_in_mm

if TYPE_CHECKING:
    from nibabel import AnalyzeImage, Nifti1Header, Nifti1Pair
    from nibabel.spatialimages import SpatialImage

# Everything that a NIfTI header says of orientation, and all that is taken over from it: none of
# its texts, which may name the patient.
ORIENTATION_FIELDS = (
    "sizeof_hdr", "xyzt_units", "pixdim", "qform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "sform_code", "srow_x", "srow_y", "srow_z",
)  # fmt: skip


def orientation(image: SpatialImage, name: str) -> tuple[Affine, dict[str, object]]:
    """Return a scan's affine, and the header fields that it came from.

    Parameters
    ----------
    name : of the scan, for messages.

    Raises
    ------
    InputError
        If the header has no valid affine.
    """
    # A NIfTI header holds up to two transforms (nifti1.h): the qform, a rigid one as a quaternion,
    # usually to the scanner's axes; and the sform, any affine, usually to a template. Each has a
    # code that says to which space it leads; 0 means that it is not set. Programs disagree about
    # which comes first. nibabel, whose order is taken here, prefers the sform, then the qform, and
    # falls back to the voxel sizes alone, centred: then nothing is said of left and right
    # (`Grid.axis_codes`).
    #
    # The affine alone would not do for maps: a viewer that prefers the qform would lay a map with
    # only an sform elsewhere than the scan. So all fields are kept, as they are stored, and
    # `maps.nifti_image` writes the same bits again. A header that was computed anew from the affine
    # differs in the last bits, and some programs compare those.
    try:
        with nifti.quiet():
            header = _header(_as_nifti(image))
            affine = np.array(header.get_best_affine(), dtype=np.float64)
    except Exception as error:
        raise InputError(f"{name}: {nifti.damage(error)}") from None
    fields = {key: _plain(key, header[key]) for key in ORIENTATION_FIELDS}
    affine[:3] *= unit_in_mm(fields)  # times 1 to the bit, but for microns and metres
    return affine, fields


def _as_nifti(image: SpatialImage) -> Nifti1Pair:
    from nibabel import AnalyzeImage, Nifti1Image, Nifti1Pair

    if isinstance(image, Nifti1Pair):
        return image
    nifti_image = Nifti1Image.from_image(image)
    # Analyze has no field for it: only a file of the affine beside it tells sides.
    silent = isinstance(image, AnalyzeImage) and not _has_matrix(image)
    nifti_image.set_sform(nifti_image.affine, code="unknown" if silent else "aligned")
    if silent:
        nifti_image.set_qform(nifti_image.affine, code="unknown")
    return nifti_image


def _header(image: Nifti1Pair) -> Nifti1Header:
    """Return the header that the image would be written with: its affine may have been changed."""
    header, affine = image.header, image.affine
    if affine is None or np.allclose(affine, header.get_best_affine(), equal_nan=True):
        return header
    return type(image)(image.dataobj, affine, header).header


def _has_matrix(image: AnalyzeImage) -> bool:
    """Return whether an Analyze file comes with a file of its affine (.mat), as SPM writes them."""
    matrix = image.file_map.get("mat")
    return bool(matrix and matrix.filename and Path(matrix.filename).exists())


def _plain(key: str, value: NDArray[np.generic]) -> object:
    """A header field as a number or a list of them, which JSON can hold without losing bits.

    Of pixdim only the quaternion's sign and the three lengths: the others are of time.
    """
    return value[:4].tolist() if key == "pixdim" else value.tolist()
