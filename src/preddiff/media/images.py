"""Pictures: files and PIL images to float arrays (channel, y, x) in [0, 1]."""

import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from preddiff.errors import InputError, InputWarning
from preddiff.media.complaints import caught, unlogged
from preddiff.media.reading import (
    MEMORY_VARIABLE,
    check_file,
    check_memory,
    failures_as,
    memory_limit,
)
from preddiff.types import Pixels

IMAGE_EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm"}
)


_LARGEST_OF_12_BITS = 4095
_ORIENTATION = 0x0112  # EXIF's tag, of which these values exchange width and height
_TURNED = {5, 6, 7, 8}
# Pillow's decoders that are used every day, under its own names. Of the others, one starts
# ghostscript (EPS, whatever the file is called), and most have hardly been tried on damaged files.
_FORMATS = ("JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP", "PPM")
# As decoded, turned upright, and as floats of three channels before and after they are laid out.
_BYTES_PER_PIXEL = 28


def read(path: str | Path) -> Image.Image:
    """Read the picture in a file: JPEG, PNG, TIFF, GIF, WebP, BMP or PPM.

    Raises
    ------
    InputError
        If there is no such file, it is empty, it is no picture that can be read, or larger than
        may be read.
    """
    path = Path(path)
    check_file(path, InputError, "one picture")
    with failures_as(
        lambda why: InputError(f"{path}: the picture is damaged ({why}); save it anew")
    ):
        try:
            image, complaints = _decoded(path)
        except UnidentifiedImageError:
            raise InputError(
                f"{path}: not a picture that can be read; expected JPEG, PNG, TIFF, GIF, WebP, "
                "BMP or PPM"
            ) from None
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise InputError(
                f"{path}: the picture is too large to be safe ({error}); crop it"
            ) from None
    if complaints:
        warnings.warn(
            InputWarning(
                f"{path}: the picture seems damaged ({complaints[0]:.200}); look at it, and save "
                "it anew"
            ),
            stacklevel=2,
        )
    return image


def opened(picture: Image.Image | Pixels | str | Path) -> Image.Image | Pixels:
    """Return the picture in a file where a path is given; anything else as it is."""
    return read(picture) if isinstance(picture, str | Path) else picture


def _decoded(path: Path) -> tuple[Image.Image, list[str]]:
    """Return a picture, and what its decoder complained of."""
    # Pillow only warns of a small file that unpacks to a huge picture; here that is an error. A
    # damaged part that is no pixel (a tag, a comment) is of no concern.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with (
            _pixels_allowed(),
            unlogged("PIL.TiffImagePlugin"),
            Image.open(path, formats=_FORMATS) as image,
        ):
            # Image.open reads the header only: what it claims is held against the limit here, and
            # damage shows up in load.
            check_pixels(image.width, image.height, path)
            # libtiff prints what is wrong, and may go on: a fax with broken lines is no failure.
            printed: AbstractContextManager[list[str]] = (
                caught() if image.format == "TIFF" else nullcontext([])
            )
            with printed as complaints:
                image.load()
            image.getexif()  # needed by `upright`: better refused here, where the file is named
            return image, complaints


def check_pixels(width: int, height: int, name: str | Path = "the picture") -> None:
    """Raise an InputError if a picture of this size would take more memory than a file may."""
    claimed = width * height * _BYTES_PER_PIXEL
    check_memory(f"{name}: {width}×{height} pixels", claimed, InputError)


@contextmanager
def _pixels_allowed() -> Iterator[None]:
    """Let Pillow's own limit follow ours, where a user has set that."""
    before = Image.MAX_IMAGE_PIXELS
    if before is not None and MEMORY_VARIABLE in os.environ:
        Image.MAX_IMAGE_PIXELS = max(before, memory_limit() // _BYTES_PER_PIXEL)
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height of a picture once it is `upright`."""
    turned = image.getexif().get(_ORIENTATION) in _TURNED
    return (image.height, image.width) if turned else image.size


def upright(image: Image.Image) -> Image.Image:
    """Turn a picture upright as its EXIF says, in a mode that can be resized without loss.

    Integers of 16 bits become floats in [0, 1]: 8 bits would cut them off.

    Raises
    ------
    InputError
        If its values are of a kind whose white is unknown.
    """
    with (
        failures_as(
            lambda why: InputError(
                f"the picture's EXIF data, which say which way is up, are damaged ({why}); save it "
                "anew without them"
            )
        ),
        warnings.catch_warnings(),
    ):  # of other tags, which say nothing of directions
        warnings.simplefilter("ignore")
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        _warn_if_dark(np.asarray(image))
        return Image.fromarray(np.asarray(image).astype(np.float32) / 65535)
    if image.mode == "I":
        raise InputError("a picture of 32-bit integers: expected 8 or 16 bits, or floats in [0, 1]")
    if image.mode == "F":
        values = np.asarray(image)
        if not (values.min() >= 0 and values.max() <= 1):
            raise InputError(
                f"a picture of floats from {values.min():.4g} to {values.max():.4g}: expected "
                "0 to 1; rescale it"
            )
        return image
    # Palettes and bilevel pictures cannot be interpolated: a mean of two palette indices is a third
    # colour. Transparency stays until after the resizing, where Pillow weights colours by alpha.
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")


def _warn_if_dark(values: np.ndarray) -> None:
    """Warn where integers of 16 bits hold 12 bits or fewer, as cameras and scanners write them."""
    largest = int(values.max())
    if 0 < largest <= _LARGEST_OF_12_BITS:
        warnings.warn(
            f"a picture of 16 bits with no value above {largest}: white counts as 65535, so it is "
            "nearly black; if white is less, scale the values (4095 of 12 bits: by 16)",
            InputWarning,
            stacklevel=3,
        )


def to_array(image: Image.Image, channels: int = 3) -> Pixels:
    """Return a picture as an array in [0, 1]; 1 channel is luminance, 3 are red, green, blue.

    Transparent pixels are laid on white, as viewers show them.
    """
    return to_pixels(upright(image), channels)


def to_pixels(image: Image.Image, channels: int) -> Pixels:
    """Do the same for a picture that is `upright` already, or was before it was resized."""
    if image.mode == "F":
        # Bicubic and Lanczos filters have negative weights, so resizing may have left [0, 1].
        # Pictures of 8 bits are clipped by Pillow itself.
        grey = np.clip(np.asarray(image, dtype=np.float32), 0, 1)
        return np.ascontiguousarray(np.repeat(grey[None], channels, axis=0))
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    values = np.asarray(image.convert("L" if channels == 1 else "RGB"), dtype=np.float32) / 255
    return np.ascontiguousarray(np.atleast_3d(values).transpose(2, 0, 1))
