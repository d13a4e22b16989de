"""Pictures: files and PIL images to float arrays (channel, y, x) in [0, 1]."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from preddiff.errors import InputError

IMAGE_EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm"}
)


def read(path: str | Path) -> Image.Image:
    """The picture in a file.

    Raises
    ------
    InputError
        If there is no such file, it is empty, or it is no picture that can be read.
    """
    path = Path(path)
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
        raise InputError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise InputError(f"{path}: a folder, expected one picture; name the files in it")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); expected a picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.load()
                return image
    except UnidentifiedImageError:
        raise InputError(
            f"{path}: not a picture that can be read; expected JPEG, PNG, TIFF, WebP or the like"
        ) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: the picture is too large to be safe ({error})") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path}: the picture is damaged ({error}); save it anew") from None


def normal(image: Image.Image) -> Image.Image:
    """The picture upright as its EXIF says, in a mode that can be resized without loss.

    Integers of 16 bits become floats in [0, 1], where 8 bits would cut them off.

    Raises
    ------
    InputError
        If its values are of a kind whose white is unknown.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
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
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")


def to_array(image: Image.Image, channels: int = 3) -> NDArray[np.float32]:
    """Float array (channel, y, x) in [0, 1]; 1 channel is luminance, 3 are red, green, blue.

    Transparent pixels are laid on white, as viewers show them.
    """
    return pixels(normal(image), channels)


def pixels(image: Image.Image, channels: int) -> NDArray[np.float32]:
    """`to_array` of a picture that is `normal`, or was before it was resized."""
    if image.mode == "F":  # resizing may have led out of [0, 1]
        grey = np.clip(np.asarray(image, dtype=np.float32), 0, 1)
        return np.ascontiguousarray(np.repeat(grey[None], channels, axis=0))
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    values = np.asarray(image.convert("L" if channels == 1 else "RGB"), dtype=np.float32) / 255
    return np.ascontiguousarray(np.atleast_3d(values).transpose(2, 0, 1))


def find(folder: str | Path) -> list[Path]:
    """All pictures in a folder and the folders below it, sorted by path.

    Raises
    ------
    InputError
        If it is no folder or holds no picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with pictures in it")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_EXTENSIONS)
    if not paths:
        known = ", ".join(sorted(IMAGE_EXTENSIONS))
        raise InputError(f"{folder}: no pictures in this folder ({known})")
    return paths


def stream(folder: str | Path) -> Iterator[Image.Image]:
    """The pictures of a folder one after the other, so that memory holds one at a time."""
    return (read(path) for path in find(folder))
