"""Labels of regions: opened once, and laid on the input that they are for."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps

from preddiff.errors import InputError, SettingError
from preddiff.media import images, volumes
from preddiff.media.input import Input
from preddiff.media.mask_files import check_drawn_size
from preddiff.media.volumes import Volume
from preddiff.types import Labels, Mask, Pixels

_MOST_REGIONS = 1000
_COUNT, _GRID = re.compile(r"\d+"), re.compile(r"\d+(x\d+)+")
_COMPACTNESS = 10.0, 0.1  # of SLIC: of colours, whose distances are those of CIELAB, and of greys


@dataclass(frozen=True)
class Superpixels:
    """Regions that SLIC is going to make, about so many."""

    count: int


@dataclass(frozen=True)
class Boxes:
    """Regions that are boxes, so many along each axis."""

    counts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Regions of an array of labels."""

    labels: Labels


OpenedRegions = Superpixels | Boxes | Drawn | Input
"""Regions before the input is known."""

RegionSource = int | Sequence[int] | str | Path | ArrayLike | OpenedRegions
"""What `open_regions` takes."""


def open_regions(source: RegionSource) -> OpenedRegions:
    """Return the regions that a number, a grid, an array or a file stands for.

    Parameters
    ----------
    source : a number, of superpixels; numbers of boxes along each axis, e.g. (4, 4) or "4x4"; an
        array of labels; or the path of a picture or scan whose values are labels. Labels are whole
        numbers, 0 where no region is.

    Raises
    ------
    SettingError
        If it is none of these.
    InputError
        If a file cannot be read, or labels are not whole numbers from 0.
    """
    if isinstance(source, OpenedRegions):
        return source
    if isinstance(source, str) and _COUNT.fullmatch(source):
        source = int(source)
    if isinstance(source, str) and _GRID.fullmatch(source):
        source = tuple(int(text) for text in source.split("x"))
    if isinstance(source, str | Path):
        return _opened(source)
    values = np.asarray(source)
    if values.ndim < 2:
        return _counted(values)
    return Drawn(_whole(values, "labels"))


def on_input(
    regions: OpenedRegions,
    source: Input,
    inputs: Pixels,
    prepare: Callable[[Image.Image], Pixels],
    *,
    resampled: bool,
) -> Labels | Boxes:
    """Return labels (*spatial) on an input; boxes as they are.

    An array has to have the input's shape as the model sees it. A picture of labels is prepared as
    the input was, a scan of labels has to lie on the scan's grid.

    Parameters
    ----------
    inputs : (channel, *spatial), as the model sees it.
    prepare : the model's own preprocessing of pictures.
    resampled : take the nearest voxel of labels on another grid.

    Raises
    ------
    InputError
        If labels are of another size, or lie on another grid.
    SettingError
        If superpixels are asked for without scikit-image.
    """
    if isinstance(regions, Boxes):
        return regions
    if isinstance(regions, Superpixels):
        return superpixels(inputs, regions.count)
    if isinstance(regions, Drawn):
        labels = regions.labels
    else:
        labels = _laid(regions, source, prepare, resampled)
    if labels.shape != inputs.shape[1:]:
        raise InputError(
            f"labels of shape {labels.shape}: expected that of the input as the model sees it, "
            f"{inputs.shape[1:]}"
        )
    return labels


def superpixels(inputs: Pixels, count: int) -> Labels:
    """Return labels of about `count` superpixels or supervoxels, by SLIC (Achanta et al. 2012).

    Raises
    ------
    SettingError
        If scikit-image is not installed.
    """
    try:
        from skimage.segmentation import slic
    except ImportError:
        raise SettingError(
            f"regions={count}: superpixels need scikit-image; pip install 'preddiff[demo]', or "
            "give labels, or boxes such as 4x4"
        ) from None
    values = np.moveaxis(inputs, 0, -1).astype(np.float64)
    in_colour = inputs.ndim == 3 and len(inputs) == 3
    if not in_colour:  # of any unit: to [0, 1], for which the compactness is meant
        low, high = float(values.min()), float(values.max())
        values = (values - low) / (high - low if high > low else 1.0)
    found = slic(
        values, n_segments=count, compactness=_COMPACTNESS[not in_colour], start_label=1,
        channel_axis=-1, convert2lab=in_colour,
    )  # fmt: skip
    return np.asarray(found, dtype=np.int64)


def _opened(path: str | Path) -> Input:
    if volumes.is_volume(path):
        volume = volumes.read(path, quiet=True)
        return Input(volume.values, str(path), volume.grid)
    return Input(images.read(path), str(path))


def _counted(values: NDArray[np.generic]) -> Superpixels | Boxes:
    """Return superpixels of one number, boxes of several."""
    if values.dtype.kind not in "iu" or values.size == 0 or (values < 1).any():  # type: ignore[operator]
        raise SettingError(
            f"regions={values.tolist()!r}: expected a number of superpixels of at least 1, boxes "
            "along each axis such as (4, 4), labels (*spatial), or a file of labels"
        )
    counts = tuple(int(n) for n in values.ravel())
    return Superpixels(counts[0]) if len(counts) == 1 else Boxes(counts)


def _whole(values: NDArray[np.generic], name: str) -> Labels:
    """Return labels as whole numbers, of which the largest is not beyond all bounds."""
    if values.dtype.kind not in "fiub":
        raise InputError(f"{name}: an array of {values.dtype}: expected whole numbers from 0")
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all() or (numbers != np.rint(numbers)).any() or numbers.min() < 0:
        raise InputError(
            f"{name}: values from {numbers.min():.4g} to {numbers.max():.4g}: expected whole "
            "numbers from 0, which is no region"
        )
    labels = values.astype(np.int64)
    if (found := len(np.unique(labels))) > _MOST_REGIONS:
        raise InputError(f"{name}: {found:,} labels: expected at most {_MOST_REGIONS:,} regions")
    return labels


def _laid(
    regions: Input, source: Input, prepare: Callable[[Image.Image], Pixels], resampled: bool
) -> Labels:
    """Return the labels of a file as the model sees them."""
    if regions.grid is not None:
        volume = Volume(np.asarray(regions.values), regions.grid)
        laid = volumes.on_grid(
            volume, regions.name, source.grid, resampled=resampled, kind="labels"
        )
        return _whole(laid.values[0], regions.name)
    if source.grid is not None:
        raise InputError(f"{regions.name}: a picture, expected labels on the scan's {source.grid}")
    upright = ImageOps.exif_transpose(regions.values)  # type: ignore[arg-type]
    if isinstance(source.values, Image.Image):
        check_drawn_size(regions.name, upright.size, source.values)
    drawn = np.asarray(upright)
    if drawn.ndim != 2:
        raise InputError(
            f"{regions.name}: a picture in colour: expected one number for each pixel, as grey "
            "pictures and palettes have"
        )
    labels = _whole(drawn, regions.name)
    # Labels cannot be interpolated. Of each, its share of every pixel is prepared as the input was,
    # and the largest share decides.
    numbers = np.unique(labels)
    largest = _share(labels == numbers[0], prepare)
    found = np.full(largest.shape, numbers[0], dtype=np.int64)
    for number in numbers[1:]:
        share = _share(labels == number, prepare)
        found[share > largest] = number
        largest = np.maximum(largest, share)
    return found


def _share(inside: Mask, prepare: Callable[[Image.Image], Pixels]) -> NDArray[np.float32]:
    white = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8))
    return np.asarray(prepare(white).max(axis=0))
