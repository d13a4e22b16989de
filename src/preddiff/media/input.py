"""Open what a caller gives, once: the first act of every explanation."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from preddiff.errors import InputError
from preddiff.media import images, several, volumes
from preddiff.media.grid import Grid
from preddiff.media.names import named
from preddiff.media.reading import display_name
from preddiff.media.signals import Signal
from preddiff.media.volumes import Volume
from preddiff.types import Pixels

_MAX_CHANNELS_LAST = 4  # a third axis as short as this, after two longer ones, holds channels


@dataclass(frozen=True, eq=False)
class Input:
    """A picture, an array or a scan: read, checked, and not changed by anything later.

    Attributes
    ----------
    values : a PIL image, which the model's own preprocessing resizes and crops; or an array
        (channel, *spatial), which is taken as it is.
    name : the file's name without its folders; "image", "array" or "scan" where there is no file.
    grid : the position of a scan's voxels; None for anything else.
    resampled_from : fingerprint of the scan that this was resampled from; None for anything else.
    features : names of a row's numbers; None for anything else.
    channels : names of a scan's channels, where it has several; else empty.
    """

    values: Image.Image | Pixels
    name: str
    grid: Grid | None = None
    resampled_from: str | None = None
    features: tuple[str, ...] | None = None
    channels: tuple[str, ...] = ()

    @property
    def is_row(self) -> bool:
        """True for a row of numbers, whose values are (1, feature)."""
        return self.features is not None

    def misnamed(self, names: Sequence[str] | None) -> tuple[int, str, str] | None:
        """Return the first feature whose name is another one there; None if all fit.

        Numbers of features, which a row without names has, are none.

        Returns
        -------
        Its position, its name here, and that there.
        """
        given = self.features or ()
        if names is None or given == tuple(map(str, range(len(given)))):
            return None
        pairs = enumerate(zip(given, names, strict=False))
        return next(((at, here, there) for at, (here, there) in pairs if here != there), None)

    @property
    def is_signal(self) -> bool:
        """True for channels over time, (channel, time)."""
        return (
            not isinstance(self.values, Image.Image) and self.values.ndim == 2 and not self.is_row
        )

    @property
    def is_volume(self) -> bool:
        """True for three spatial dimensions."""
        return not isinstance(self.values, Image.Image) and self.values.ndim == 4

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the values, with their shape; the same for a file and its content."""
        values = self.values
        if isinstance(values, Image.Image):
            # In a plain mode: so that orientation tags and palettes count as pixels do.
            values = np.asarray(images.upright(values))
        digest = hashlib.sha256(f"{values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()


Source = str | Path | Image.Image | ArrayLike | Volume | Signal | Input
"""What `open_input` takes; also an image of nibabel."""


def open_input(source: Source, channels: Sequence[str] | None = None) -> Input:
    """Return the input that a path, PIL image, array or scan holds.

    Parameters
    ----------
    source : the path of a picture, of a NIfTI or Analyze file, or of a folder of DICOM slices; a
        PIL image; floats (channel, y, x) or (channel, z, y, x); an image of nibabel; a row of a
        table, (feature,) or a Series of pandas; a `Signal` of two axes; or an Input, which is
        returned as it is. Scans on one grid, one for each channel, are joined by a plus:
        "T1.nii.gz+FLAIR.nii.gz".
    channels : names of the channels of a scan of four dimensions, the last of which they are.

    Raises
    ------
    InputError
        If it cannot be read, or is no array of finite floats of such a shape.
    """
    if isinstance(source, Input):
        return source
    path = named(source) if isinstance(source, str | Path) else None
    volume = volumes.opened(source, channels)
    if volume is not None:
        parts = [] if path is None else several.paths(path) or [path]
        name = "+".join(map(display_name, parts)) or "scan"
        return Input(volume.values, name, volume.grid, channels=volume.channels)
    if channels is not None:
        raise InputError(f"channels={channels!r}: are of scans of four dimensions; leave it out")
    if path is not None:
        return Input(images.read(path), display_name(path))
    if isinstance(source, Image.Image):
        return Input(source, "image")
    if isinstance(source, Signal):
        return Input(source.checked, "signal")
    if isinstance(source, tuple):
        raise InputError(
            f"{len(source)} inputs in a tuple: expected one; of a network of several inputs, hide "
            "windows in one: models.one_input(network, inputs, free=0)"
        )
    if hasattr(source, "iloc") and np.ndim(source) == 2:  # type: ignore[arg-type]
        raise InputError(
            f"a table of shape {np.shape(source)}: expected a row; take one, table.iloc[0]"  # type: ignore[arg-type]
        )
    if np.ndim(source) == 1:  # type: ignore[arg-type]
        return _row(source)
    return Input(as_pixels(source), "array")


def _as_array(array: object) -> np.ndarray:
    if hasattr(array, "detach"):  # a tensor, which may be on another device and want gradients
        array = array.detach().cpu()
    return np.asarray(cast(ArrayLike, array))


def _row(source: object) -> Input:
    """Return a row of numbers, with the names that a Series of pandas has for them."""
    values = _as_array(source)
    if values.dtype.kind not in "fiub" or not np.isfinite(values).all():
        raise InputError(
            f"an array of {values.dtype} and shape {values.shape}, a row: expected finite numbers; "
            "encode categories as numbers (load_model(pipeline, table=X_train).columns.encode, "
            "docs/models.md), and fill what is missing"
        )
    # A Series of pandas has names as its index; a list has a method that is called so.
    names = getattr(getattr(source, "index", None), "values", range(len(values)))
    pixels = np.array(values, dtype=np.float32)[None]
    return Input(pixels, "row", features=tuple(map(str, names)))


def as_pixels(array: object) -> Pixels:
    """Return a float32 copy (channel, *spatial) of an array.

    Raises
    ------
    InputError
        If it is no array of finite floats of such a shape; the message says what is wrong.
    """
    values = _as_array(array)
    if values.ndim == 0:
        raise InputError(
            f"an input of type {type(array).__name__}: expected a path, a PIL image, or floats "
            "(channel, y, x); of a dict, the row of its values"
        )
    if values.dtype.kind not in "fiub" or values.dtype == np.uint8:
        raise InputError(
            f"an array of {values.dtype} and shape {values.shape}: expected floats (channel, y, x) "
            f"in [0, 1]; {_cure_of_bytes(values.shape)}"
        )
    if values.ndim not in {3, 4}:
        raise InputError(
            f"an array of shape {values.shape}: expected (channel, y, x) or (channel, z, y, x); a "
            "grey picture (y, x) is array[None], one of a batch is batch[0], a signal "
            "(channel, time) is preddiff.media.Signal(array)"
        )
    if _is_channels_last(values.shape):
        raise InputError(
            f"an array of shape {values.shape} looks like (y, x, channel): expected "
            "(channel, y, x); pass array.transpose(2, 0, 1)"
        )
    values = np.array(values, dtype=np.float32, order="C")  # a copy: the caller keeps theirs
    bad = int(np.size(values) - np.isfinite(values).sum())
    if bad:
        raise InputError(
            f"{bad} of {values.size} input values are NaN or infinite: expected finite numbers; "
            "fill or mask them first"
        )
    return values


def _is_channels_last(shape: tuple[int, ...]) -> bool:
    """Return whether a shape looks like (y, x, channel)."""
    return (
        len(shape) == 3
        and shape[2] in {3, _MAX_CHANNELS_LAST}
        and min(shape[:2]) > _MAX_CHANNELS_LAST
    )


def _cure_of_bytes(shape: tuple[int, ...]) -> str:
    """Return what to pass instead of an array of such a shape whose white is 255."""
    one, shape = ("array[0]", shape[1:]) if len(shape) == 4 else ("array", shape)
    if len(shape) == 3 and not _is_channels_last(shape):
        return f"for 8-bit pictures pass {one} / 255"
    return f"for 8-bit pictures pass PIL.Image.fromarray({one})"
