"""Sides: whether a NIfTI header says which side of the body is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from preddiff.media.grid import Affine

_SILENT = (
    "does not say which side is left (no sform or qform code, or Analyze)",
    "if you know it, say it in the file (nibabel: image.set_sform(affine, code=1), then save it "
    "anew); resampling cannot tell",
)
_CONTRADICTORY = (
    "says of either side that it is left (sform and qform contradict each other)",
    "remove the wrong one (nibabel: image.set_qform(None) or image.set_sform(None), then save it "
    "anew); resampling cannot tell",
)


def doubt(header: Mapping[str, object]) -> tuple[str, str] | None:
    """Return why a header does not say which side is left, and what to do; None where it does.

    A mirrored guess would look just as good.

    Parameters
    ----------
    header : orientation fields of a NIfTI header; of an empty one there is no doubt.
    """
    codes = [header.get(name, 1) for name in ("sform_code", "qform_code")]
    # Both 0 means "unknown" (nifti1.h, method 1): the affine then only has the voxel size, and
    # nibabel's signs are a convention. They must not name a side of the body.
    if not any(codes):
        return _SILENT
    if all(codes) and "quatern_b" in header and _contradictory(header):
        return _CONTRADICTORY
    return None


def _contradictory(header: Mapping[str, Any]) -> bool:
    """Return whether sform and qform exchange left and right.

    They may lead to different spaces, such as the scanner's and a template's, but both have the
    right side of the body at the same end: neither may mirror what the other does not.
    """
    from nibabel.orientations import aff2axcodes

    sform = np.eye(4)
    sform[:3] = [header[name] for name in ("srow_x", "srow_y", "srow_z")]
    qform = _qform(header)
    if not np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) > 0:
        return True
    both = zip(aff2axcodes(sform), aff2axcodes(qform), strict=True)
    return any({one, other} == {"L", "R"} for one, other in both)


def _qform(header: Mapping[str, Any]) -> Affine:
    """Return the directions of a qform (nifti1.h, method 2), in steps of length 1."""
    from nibabel.quaternions import fillpositive, quat2mat

    vector = [header[name] for name in ("quatern_b", "quatern_c", "quatern_d")]
    qform = np.eye(4)
    # Stored in float32, three components may be a little longer than 1.
    qform[:3, :3] = quat2mat(fillpositive(vector, w2_thresh=-1e-4))
    qform[:3, 2] *= -1 if header["pixdim"][0] < 0 else 1
    return qform
