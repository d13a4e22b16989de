"""Pictures: files and PIL images to float arrays (channel, y, x) in [0, 1]."""

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from preddiff.errors import InputError, InputWarning
from preddiff.types import Pixels

IMAGE_EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm"}
)


_LARGEST_OF_12_BITS = 4095


def read(path: str | Path) -> Image.Image:
    """Read the picture in a file.

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
        # Pillow only warns of a small file that unpacks to a huge picture; here that is an error.
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.load()  # Image.open reads the header only: damage shows up here
                return image
    except UnidentifiedImageError:
        raise InputError(
            f"{path}: not a picture that can be read; expected JPEG, PNG, TIFF, WebP or the like"
        ) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: the picture is too large to be safe ({error})") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path}: the picture is damaged ({error}); save it anew") from None


def upright(image: Image.Image) -> Image.Image:
    """Turn a picture upright as its EXIF says, in a mode that can be resized without loss.

    Integers of 16 bits become floats in [0, 1]: 8 bits would cut them off.

    Raises
    ------
    InputError
        If its values are of a kind whose white is unknown.
    """
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
