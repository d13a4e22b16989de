"""From a picture to what a network sees, and from input space to the network's own numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from preddiff.errors import InputError, ModelError
from preddiff.media import images

KEYS = frozenset({"mean", "std", "channel_order", "scale", "layout", "resize", "labels_file"})
"""What an ONNX file's metadata or a --preprocess file may say; docs/models.md explains them."""

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class Preprocessing:
    """Resizing and normalisation of a network: ((scale · x)[order] - mean) / std.

    Attributes
    ----------
    size : (y, x) that the network sees; None if it takes any.
    channels : 3, or 1 for luminance.
    short_side : the picture's short side before a centre crop of `size`; None stretches the
        picture to `size` instead.
    interpolation : nearest, bilinear, bicubic or lanczos.
    mean, std : per channel in the network's order and scale.
    scale : what the network counts as white, 1 or 255.
    bgr : whether the network wants blue first.
    channels_last : whether the network wants (n, y, x, channel).
    """

    size: tuple[int, int] | None = None
    channels: int = 3
    short_side: int | None = None
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    scale: float = 1.0
    bgr: bool = False
    channels_last: bool = False

    @classmethod
    def from_metadata(
        cls, metadata: Mapping[str, Any], size: tuple[int, int] | None, channels: int
    ) -> Self:
        """From the metadata of an ONNX file, or a --preprocess file.

        Parameters
        ----------
        metadata : any of `KEYS`; texts as ONNX has them, or numbers and lists.
        size, channels : what the network's input says.

        Raises
        ------
        ModelError
            If a value is not understood.
        """
        short_side, interpolation = _resize(str(metadata.get("resize", "")), size)
        std = _numbers(metadata, "std", 1.0)
        if 0 in std:
            raise ModelError(f"std={metadata['std']}: expected numbers other than 0")
        return cls(
            size=size,
            channels=channels,
            short_side=short_side,
            interpolation=interpolation,
            mean=_numbers(metadata, "mean", 0.0),
            std=std,
            scale=_numbers(metadata, "scale", 1.0)[0],
            bgr=_choice(metadata, "channel_order", ("RGB", "BGR")) == "BGR",
            channels_last=_choice(metadata, "layout", ("NCHW", "NHWC")) == "NHWC",
        )

    @property
    def input_mean(self) -> NDArray[np.float64]:
        """Mean of the training inputs per channel, in input space."""
        mean = np.broadcast_to(np.array(self.mean), self.channels) / self.scale
        return mean[::-1].copy() if self.bgr else mean.copy()

    def prepare(self, image: Image.Image) -> NDArray[np.float32]:
        """What the network sees: float32 (channel, y, x) in [0, 1].

        Raises
        ------
        InputError
            If a picture would have to be cropped to more than it is.
        """
        if self.size is not None:
            image = image if image.mode in {"L", "RGB"} else image.convert("RGBA")
            image = self._resized(image)
        return images.to_array(image, self.channels)

    def normalise(self, inputs: torch.Tensor) -> torch.Tensor:
        """(n, channel, *spatial) in input space to the network's numbers, channel by channel."""
        if self.bgr:
            inputs = inputs.flip(1)
        column = (1, -1, *(1,) * (inputs.ndim - 2))
        mean = torch.tensor(self.mean, dtype=inputs.dtype).reshape(column)
        std = torch.tensor(self.std, dtype=inputs.dtype).reshape(column)
        return (inputs * self.scale - mean) / std

    def _resized(self, image: Image.Image) -> Image.Image:
        assert self.size is not None  # noqa: S101 - for the type checker; prepare() asked
        height, width = self.size
        resample = _FILTERS[self.interpolation]
        if self.short_side is None:
            return image.resize((width, height), resample)
        scale = self.short_side / min(image.size)
        wide, high = (max(self.short_side, round(n * scale)) for n in image.size)
        if wide < width or high < height:
            raise InputError(
                f"a short side of {self.short_side} leaves less than the {width}×{height} pixels "
                "that the network sees; correct the resize setting"
            )
        left, top = round((wide - width) / 2), round((high - height) / 2)
        image = image.resize((wide, high), resample)
        return image.crop((left, top, left + width, top + height))


def _resize(text: str, size: tuple[int, int] | None) -> tuple[int | None, str]:
    """Short side (None: stretch) and filter from e.g. "short side 256 (bilinear), centre crop"."""
    named = re.search(r"\((\w+)\)", text)
    interpolation = named.group(1).lower() if named else "bilinear"
    if interpolation not in _FILTERS:
        raise ModelError(f"resize={text!r}: unknown filter; expected one of {', '.join(_FILTERS)}")
    side = re.search(r"short side (\d+)", text)
    if side:
        return int(side.group(1)), interpolation
    if text and not text.startswith("stretch"):
        raise ModelError(
            f"resize={text!r}: expected 'short side N (filter), centre crop' or 'stretch (filter)'"
        )
    return (None if text or size is None else min(size)), interpolation


def _numbers(metadata: Mapping[str, Any], key: str, default: float) -> tuple[float, ...]:
    value = metadata.get(key, default)
    parts: Sequence[Any]
    if isinstance(value, str):
        parts = value.split(",")
    else:
        parts = value if isinstance(value, list | tuple) else [value]
    try:
        return tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        raise ModelError(f"{key}={value!r}: expected a number, or one per channel") from None


def _choice(metadata: Mapping[str, Any], key: str, choices: tuple[str, str]) -> str:
    value = str(metadata.get(key, choices[0])).upper()
    if value not in choices:
        raise ModelError(f"{key}={value!r}: expected {' or '.join(choices)}")
    return value
