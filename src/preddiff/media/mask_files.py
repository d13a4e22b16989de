"""Masks of an analysis: opened once, and laid on the input that they are for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from preddiff.errors import InputError
from preddiff.media import images, volumes
from preddiff.media.input import Input
from preddiff.media.masks import inside
from preddiff.media.volumes import Volume
from preddiff.types import Mask, Pixels

OpenedMask = Mask | Input
"""A mask before the input is known: an array, or the content of a file."""

_WHITE = 0.5  # a drawn mask is cut where its interpolated edge is half white


def open_mask(source: ArrayLike | str | Path | OpenedMask) -> OpenedMask:
    """Return the mask that an array, or the path of a picture or scan, holds.

    Raises
    ------
    InputError
        If a file cannot be read, or values are not finite.
    """
    if isinstance(source, Input):
        return source
    if not isinstance(source, str | Path):
        return inside(np.asarray(source))
    if volumes.is_volume(source):
        volume = volumes.read(source, quiet=True)
        return Input(volume.values, str(source), volume.grid)
    return Input(images.read(source), str(source))


def on_input(
    mask: OpenedMask,
    source: Input,
    prepare: Callable[[Image.Image], Pixels],
    *,
    resampled: bool,
) -> Mask:
    """Return a mask (*spatial) as the model sees the input.

    An array is taken as it is, a picture is prepared as the input was, and a volume has to lie on
    the scan's grid.

    Parameters
    ----------
    prepare : the model's own preprocessing of pictures.
    resampled : take the nearest voxel of a mask on another grid.

    Raises
    ------
    InputError
        If the mask is of another size, or lies on another grid.
    """
    if not isinstance(mask, Input):
        return mask
    if mask.grid is not None:
        volume = Volume(np.asarray(mask.values), mask.grid)
        return volumes.mask_on_grid(volume, mask.name, source.grid, resampled=resampled)
    if source.grid is not None:
        raise InputError(f"{mask.name}: a picture, expected a mask on the scan's {source.grid}")
    if isinstance(source.values, Image.Image):
        check_drawn_size(mask.name, images.upright(mask.values).size, source.values)  # type: ignore[arg-type]
    return np.asarray(prepare(mask.values).max(axis=0) > _WHITE)  # type: ignore[arg-type]


def check_drawn_size(name: str, drawn: tuple[int, int], picture: Image.Image) -> None:
    """Raise an InputError unless what was drawn has the picture's pixels, both as they are shown.

    A mask is drawn on a photo that a viewer turned as its EXIF says.

    Parameters
    ----------
    drawn : width and height.
    """
    expected = images.upright(picture).size
    if drawn != expected:
        raise InputError(
            f"{name}: has {drawn[0]}×{drawn[1]} pixels, expected those of the picture, "
            f"{expected[0]}×{expected[1]} as it is shown"
        )
