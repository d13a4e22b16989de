"""Volumes: scans in files to float arrays (1, z, y, x) on their grid.

Arrays keep the order of the file: x, y and z are its first, second and third axis, and nothing is
flipped or resampled. Values are the scan's own units, with the header's slope and intercept.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from preddiff.errors import InputError, InputWarning
from preddiff.media import dicom, nifti, resampling, several
from preddiff.media.grid import Grid, affine_problem, mismatch
from preddiff.media.masks import inside
from preddiff.media.names import result_name
from preddiff.media.orientation import orientation
from preddiff.types import Mask, Pixels

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

VOLUME_EXTENSIONS = (".nii", ".nii.gz", ".hdr", ".img", ".mgh", ".mgz")
"""Endings of the files that a volume can be read from."""

SCAN_EXTENSIONS = (".nii", ".nii.gz", ".img", ".mgh", ".mgz")
"""One for each volume of a folder: a .hdr always has an .img beside it."""


_LITTLE_OVERLAP = 0.5  # a share of a grid's voxels


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan.

    Attributes
    ----------
    values : (channel, z, y, x), in the scan's own units; mostly one channel.
    grid : where its voxels lie.
    channels : names of several channels; else empty.
    """

    values: Pixels
    grid: Grid
    channels: tuple[str, ...] = ()


def is_volume(source: object) -> bool:
    """Return whether this is a volume, a nibabel image, or a path that names one."""
    if isinstance(source, str | Path):
        return _has_ending(source) or dicom.is_series(Path(source))
    return isinstance(source, Volume) or hasattr(source, "dataobj")


def read(path: str | Path, *, quiet: bool = False, channels: Sequence[str] | None = None) -> Volume:
    """Read the scan in a NIfTI or Analyze file, or in a folder with the slices of a DICOM series.

    Parameters
    ----------
    channels : names of the channels, which are the fourth dimension.
    quiet : do not warn where it does not say which side is left.

    Raises
    ------
    InputError
        If there is none, it is damaged, no scan of three dimensions, larger than is safe, or has
        values that are not finite.
    """
    path = Path(path)
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
        raise InputError(f"{path}: no such file; check the path")
    if path.is_dir() or (not _has_ending(path) and dicom.is_series(path)):
        return from_image(dicom.read(path), str(path), quiet=quiet, channels=channels)
    return from_image(nifti.open_image(path), str(path), quiet=quiet, channels=channels)


def from_image(
    image: SpatialImage,
    name: str = "the scan",
    *,
    quiet: bool = False,
    channels: Sequence[str] | None = None,
) -> Volume:
    """Return the volume of a nibabel image, which is not changed.

    Parameters
    ----------
    name : of the scan, for messages.
    quiet, channels : as of `read`.

    Raises
    ------
    InputError
        As `read` does.
    """
    # Some programs store one volume with a fourth axis of length 1.
    count = math.prod(image.shape[3:])
    if channels is not None:
        _check_channels(name, image.shape, channels)
    elif len(image.shape) < 3 or count != 1:
        shape = "×".join(map(str, image.shape))
        raise InputError(
            f"{name}: has {len(image.shape)} dimensions ({shape}), expected one volume of 3; take "
            "one of its volumes, or their mean (nibabel.four_to_three splits them), or name what "
            "are channels (channels=, --channels)"
        )
    affine, header = orientation(image, name)
    if problem := affine_problem(affine):
        raise InputError(f"{name}: {problem}; correct its header")
    values = _values(image, name)
    _, z, y, x = values.shape
    grid = Grid((z, y, x), affine, header)
    if not quiet and grid.doubt is not None:
        _warn_of_sides(name, *grid.doubt)
    return Volume(values, grid, tuple(channels or ()))


def _check_channels(name: str, shape: Sequence[int], channels: Sequence[str]) -> None:
    """Raise an InputError if names are not those of a fourth dimension, each once."""
    if isinstance(channels, str) or len(set(channels)) < len(channels) or not all(channels):
        raise InputError(f"channels={channels!r}: expected a name for each, no two the same")
    if len(shape) != 4 or shape[3] != len(channels):
        raise InputError(
            f"{name}: has shape {'×'.join(map(str, shape))}, but {len(channels)} channels are "
            "named: expected a fourth dimension with as many"
        )


def _has_ending(path: str | Path) -> bool:
    # It comes before what a file begins with: raw voxels may look like anything.
    return str(path).lower().endswith(VOLUME_EXTENSIONS)


def _warn_of_sides(name: str, why: str, cure: str) -> None:
    warnings.warn(
        InputWarning(f"{name}: {why}: voxels keep their order, and no side is named; {cure}"),
        stacklevel=3,
    )


def opened(source: object, channels: Sequence[str] | None = None) -> Volume | None:
    """Return the volume of whatever `is_volume`; None of anything else.

    Parameters
    ----------
    channels : as of `read`.
    """
    if not is_volume(source):
        return None
    if isinstance(source, str | Path):
        if parts := several.paths(source):
            return _joined(parts, channels)
        return read(source, channels=channels)
    if isinstance(source, Volume):
        return source
    return from_image(source, channels=channels)  # type: ignore[arg-type]


def _joined(paths: Sequence[Path], names: Sequence[str] | None) -> Volume:
    """Return scans on one grid as the channels of one."""
    scans = [read(path, quiet=number > 0) for number, path in enumerate(paths)]
    for path, scan in zip(paths[1:], scans[1:], strict=True):
        if not scan.grid.is_like(scans[0].grid):
            cure = f"resample it onto that of {paths[0].name}"
            problem = mismatch("a channel", scan.grid, "the first one's", scans[0].grid, cure)
            raise InputError(f"{path}: {problem}")
    found = tuple(map(result_name, paths)) if names is None else tuple(names)
    if len(set(found)) < len(paths) or len(found) != len(paths):
        raise InputError(
            f"channels={found!r}: expected a name for each of {len(paths)} scans, no two the same"
        )
    return Volume(np.concatenate([scan.values for scan in scans]), scans[0].grid, found)


def read_mask(path: str | Path, grid: Grid | None, *, resampled: bool = False) -> Mask:
    """Read where a volume is above 0, (z, y, x), but for noise.

    Parameters
    ----------
    grid : of the scan that it is for; None takes the mask as it is.
    resampled : take the nearest voxel of a mask on another grid.

    Raises
    ------
    InputError
        If its voxels are not those of `grid`, or it cannot be read.
    """
    return mask_on_grid(read(path, quiet=True), str(path), grid, resampled=resampled)


def mask_on_grid(mask: Volume, name: str, grid: Grid | None, *, resampled: bool) -> Mask:
    """Return where a volume is above 0 on a grid; see `read_mask`."""
    return inside(on_grid(mask, name, grid, resampled=resampled, kind="a mask").values[0])


def on_grid(volume: Volume, name: str, grid: Grid | None, *, resampled: bool, kind: str) -> Volume:
    """Return a volume of labels on a grid.

    Parameters
    ----------
    grid : of the scan that it is for; None takes it as it is.
    resampled : take the nearest voxels if it is on another grid.
    kind : of volume, for messages.

    Raises
    ------
    InputError
        If its voxels are not those of `grid`.
    """
    if grid is None or volume.grid.is_like(grid):
        return volume
    if not (resampled and grid.knows_sides and volume.grid.knows_sides):
        cure = "resample it, or let it be resampled (resample=True, --resample)"
        problem = mismatch(kind, volume.grid, "the scan's", grid, cure)
        raise InputError(f"{name}: {problem}")
    try:
        return resample(volume, grid, nearest=True)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def resample(volume: Volume, grid: Grid, *, nearest: bool = False) -> Volume:
    """Return the volume on another grid, linearly interpolated; 0 outside of what it shows.

    Parameters
    ----------
    nearest : take the nearest voxel instead, as masks need it.

    Raises
    ------
    InputError
        If one of the two does not say which side is left, or they do not overlap.
    """
    moved = [resampling.onto(each, volume.grid, grid, nearest=nearest) for each in volume.values]
    share = moved[0][1]
    if share < _LITTLE_OVERLAP:
        warnings.warn(
            InputWarning(
                f"only {share:.0%} of {grid} lies in what {volume.grid} shows; the rest is 0 after "
                "resampling: check that both are in one space, or mask what is not shown"
            ),
            stacklevel=3,
        )
    return Volume(np.stack([values for values, _ in moved]), grid, volume.channels)


def _values(image: SpatialImage, name: str) -> Pixels:
    """(channel, z, y, x), scaled as the header says."""
    if image.get_data_dtype().kind not in "fiub":
        raise InputError(
            f"{name}: voxels of type {image.get_data_dtype()}: expected plain numbers; convert it"
        )
    try:
        # A file stores x fastest, so the transpose (z, y, x) is in C order and moves nothing.
        with nifti.quiet():  # what becomes infinite is refused below
            values = np.asarray(image.get_fdata(caching="unchanged", dtype=np.float32))
        values = values.reshape((*image.shape[:3], -1), order="F").T
    except Exception as error:
        raise InputError(f"{name}: {nifti.damage(error)}") from None
    bad = values.size - int(np.isfinite(values).sum())
    if bad:
        raise InputError(
            f"{name}: {bad:,} of {values.size:,} voxels are NaN or infinite: expected finite "
            "numbers; set those outside of the body to 0 (numpy.nan_to_num)"
        )
    return np.ascontiguousarray(values)
