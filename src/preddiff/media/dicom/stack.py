"""A stack of frames: their order, and the affine that is in their headers."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from preddiff.errors import InputError, InputWarning
from preddiff.media.dicom.frames import Frame, Vector
from preddiff.media.grid import Affine

_TOLERANCE = 0.05  # of the shortest edge of a voxel: positions are rounded in headers
_SAME_LENGTH = 0.02  # lengths in headers are rounded as well
_NO_GAP = 1e-3  # mm: slices closer than this lie at one place
_LARGE_GAP = 1.5  # times the thickness of a slice


def ordered(path: Path, frames: Sequence[Frame]) -> tuple[list[Frame], Affine]:
    """Return frames in the order in which they lie, and the affine from (column, row, slice, 1).

    The affine leads to millimetres right, anterior and superior, as NIfTI has them. Slices that are
    displaced along each other (a tilted gantry) make a sheared one: it is what the headers say, and
    nothing is interpolated.

    Raises
    ------
    InputError
        If no affine gives every slice the place that its header says, or slices are missing.
    """
    normal = frames[0].normal
    frames = sorted(frames, key=lambda frame: float(frame.origin @ normal))
    step = _step(path, frames)
    _check_places(path, frames, step)
    if len(frames) > 1:
        _check_spacing(path, frames, step)
    # Two conventions differ. DICOM's patient axes lead to left, posterior, superior (PS3.3,
    # C.7.6.2.1.1), NIfTI's to right, anterior, superior.
    first = frames[0]
    affine = np.eye(4)
    affine[:3] = np.stack([first.right, first.down, step, first.origin], axis=1)
    return list(frames), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _step(path: Path, frames: Sequence[Frame]) -> Vector:
    """The vector from a slice to the next."""
    first, last = frames[0], frames[-1]
    if len(frames) > 1:
        return np.asarray((last.origin - first.origin) / (len(frames) - 1))
    thickness = first.spacing or first.thickness
    if thickness is None:
        raise InputError(
            f"{path}: one slice that does not say how thick it is (SliceThickness); name the "
            "folder of a series"
        )
    warnings.warn(
        InputWarning(f"{path}: one slice, taken as a scan of one; for a scan name its folder"),
        stacklevel=2,
    )
    return first.normal * thickness


def _check_places(path: Path, frames: Sequence[Frame], step: Vector) -> None:
    """Raise if a corner of a slice lies elsewhere than the affine of all says."""
    first = frames[0]
    if len({frame.shape for frame in frames}) > 1:
        raise InputError(f"{path}: not one volume (its slices have several sizes); split it")
    turned = max(_turned(first, frame) for frame in frames)
    if turned > _TOLERANCE * min(np.linalg.norm(first.right), np.linalg.norm(first.down)):
        raise InputError(
            f"{path}: not one volume (its slices differ in direction or pixel size, "
            f"{turned:.2g} mm at a corner); put those of one direction into a folder of their own"
        )
    gaps = np.diff([float(frame.origin @ first.normal) for frame in frames])
    if len(gaps) and gaps.min() < _NO_GAP:
        where = frames[int(gaps.argmin())].origin
        position = ", ".join(f"{value:.4g}" for value in where)
        raise InputError(
            f"{path}: not one volume (several slices at ({position}) mm); put each echo, time or "
            "copy into a folder of its own"
        )
    edges = [float(np.linalg.norm(edge)) for edge in (first.right, first.down, step)]
    apart = [
        float(np.linalg.norm(frame.corners - (first.corners + n * step), axis=1).max())
        for n, frame in enumerate(frames)
    ]
    if max(apart) > _TOLERANCE * min(edges):
        problem = _problem(gaps.tolist(), max(apart))
        raise InputError(f"{path}: not one volume ({problem}); check that no slice is missing")


def _turned(first: Frame, other: Frame) -> float:
    """How far a corner of a slice is off, in mm, by its directions and the size of its pixels."""
    own, expected = other.corners - other.origin, first.corners - first.origin
    return float(np.linalg.norm(own - expected, axis=1).max())


def _problem(gaps: list[float], apart: float) -> str:
    """The reason why slices are no grid."""
    if max(gaps) - min(gaps) > _SAME_LENGTH * min(gaps):
        return f"its slices lie {min(gaps):.4g} to {max(gaps):.4g} mm apart, expected equal gaps"
    return f"its slices lie up to {apart:.2g} mm off a straight line"


def _check_spacing(path: Path, frames: Sequence[Frame], step: Vector) -> None:
    """Hold the distance of slices against what headers say of it: equal gaps may be too wide."""
    gap = abs(float(step @ frames[0].normal))
    spacing, thickness = frames[0].spacing, frames[0].thickness
    skipped = _skipped(frames)
    if spacing is not None:
        # Some programs write the gap between the edges of two slices instead of their distance.
        said = [spacing, spacing + (thickness or 0.0)]
        measured = [gap, float(np.linalg.norm(step))]
        if any(_same(a, b) for a in said for b in measured):
            return
        times = round(gap / spacing)
        if times > 1 and _same(gap, times * spacing):
            raise InputError(
                f"{path}: its slices lie {gap:.4g} mm apart, {times} times the {spacing:.4g} mm "
                "of their headers (SpacingBetweenSlices): slices are missing; get all of them"
            )
        _warn(path, f"lie {gap:.4g} mm apart, and {spacing:.4g} by SpacingBetweenSlices")
    elif thickness is not None and gap > _LARGE_GAP * thickness:
        if skipped:
            raise InputError(
                f"{path}: its slices are {thickness:.4g} mm thick and lie {gap:.4g} mm apart, and "
                f"their numbers go {skipped}: slices are missing; get all of them"
            )
        _warn(path, f"are {thickness:.4g} mm thick and lie {gap:.4g} mm apart")
    elif skipped:
        _warn(path, f"have the numbers {skipped}")


def _skipped(frames: Sequence[Frame]) -> str:
    """The first numbers of slices, where every step from one to the next leaves some out."""
    numbers = [frame.number for frame in frames if frame.number is not None]
    steps = {abs(b - a) for a, b in itertools.pairwise(numbers)}
    if len(numbers) < len(frames) or len(steps) != 1 or min(steps) < 2:
        return ""
    return ", ".join(map(str, sorted(numbers)[:3])) + " …"


def _warn(path: Path, finding: str) -> None:
    warnings.warn(
        InputWarning(
            f"{path}: its slices {finding}; their positions are taken: check that none is missing"
        ),
        stacklevel=2,
    )


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=_SAME_LENGTH)
