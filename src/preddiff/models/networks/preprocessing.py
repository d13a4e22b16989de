"""From a picture to what a network sees, and on to the network's own numbers."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from preddiff.errors import InputError
from preddiff.media import images
from preddiff.types import PerChannel, Pixels

FILTERS = {
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
    short_side : the picture's short side before a centre crop of `size`; more of it where it is
        that of `size` and would not cover it. None stretches the picture to `size` instead.
    interpolation : nearest, bilinear, bicubic or lanczos.
    mean, std : per channel in the network's order and scale; None is 0, and says that the mean of
        the training inputs is not known.
    scale : what the network counts as white, 1 or 255.
    bgr : whether the network wants blue first.
    channels_last : whether the network wants (n, y, x, channel).
    """

    size: tuple[int, int] | None = None
    channels: int = 3
    short_side: int | None = None
    interpolation: str = "bilinear"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] = (1.0,)
    scale: float = 1.0
    bgr: bool = False
    channels_last: bool = False

    @classmethod
    def of_shape(cls, shape: tuple[int, ...] | None) -> "Preprocessing":
        """Return how pictures become inputs (channel, y, x) of one size, as they are otherwise."""
        size = picture_size(shape)
        if shape is None or size is None:
            return cls()
        return cls(size=size, channels=shape[0], short_side=min(size))

    @property
    def input_mean(self) -> PerChannel | None:
        """Mean of the training inputs per channel, in input space; None if unknown."""
        if self.mean is None:
            return None
        # The published mean is in the network's order and scale: undo both.
        mean = np.broadcast_to(np.array(self.mean), self.channels) / self.scale
        return mean[::-1].copy() if self.bgr else mean.copy()

    def prepare(self, image: Image.Image) -> Pixels:
        """Return what the network sees of a picture: float32 (channel, y, x) in [0, 1].

        Raises
        ------
        InputError
            If a picture would have to be cropped to more than it is.
        """
        image = images.upright(image)
        if self.size is not None:
            image = self._resized(image, *self.size)
        return images.to_pixels(image, self.channels)

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the part of a picture of this size that the network sees, in its pixels.

        Returns
        -------
        left, top, width, height
        """
        if self.size is None or self.short_side is None:
            return 0.0, 0.0, float(width), float(height)
        (wide, high), left, top = self._crop(width, height)
        across, down = width / wide, height / high
        return left * across, top * down, self.size[1] * across, self.size[0] * down

    def normalise(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return inputs (n, channel, *spatial) in the network's own numbers and layout."""
        if self.bgr:
            inputs = inputs.flip(1)
        column = (1, -1, *(1,) * (inputs.ndim - 2))
        mean = torch.tensor(self.mean or (0.0,)).to(inputs).reshape(column)
        std = torch.tensor(self.std).to(inputs).reshape(column)
        result = (inputs * self.scale - mean) / std
        if result.ndim == 4:
            result = result.contiguous(memory_format=torch.channels_last)  # faster on processors
        return result.movedim(1, -1) if self.channels_last else result

    def _resized(self, image: Image.Image, height: int, width: int) -> Image.Image:
        resample = FILTERS[self.interpolation]
        if self.short_side is None:
            return image.resize((width, height), resample)
        (wide, high), left, top = self._crop(*image.size)
        if wide < width or high < height:
            raise InputError(
                f"a short side of {self.short_side} leaves less than the {width}×{height} pixels "
                "that the network sees; correct the resize setting"
            )
        # A picture of one row becomes 256 times as wide: small files, large memory.
        images.check_pixels(wide, high)
        image = image.resize((wide, high), resample)
        return image.crop((left, top, left + width, top + height))

    def _crop(self, *size: int) -> tuple[tuple[int, int], int, int]:
        """Return what a picture (width, height) is resized to, and where the crop begins in that.

        As torchvision does, to the pixel: the long side is rounded down, and the crop begins at
        half of what is left over, rounded to even. A crop that is one pixel off is another input,
        and its results could not be compared with published ones. The complete picture is resized
        before the crop, since filters reach across the crop's edge.
        """
        if self.size is None or self.short_side is None:
            return (size[0], size[1]), 0, 0
        height, width = self.size
        short = self.short_side
        if short == min(self.size):
            # As small as covers an input that is no square: a landscape, say, of a square picture.
            short = max(
                -(-length * min(size) // n) for length, n in zip((width, height), size, strict=True)
            )
        wide, high = (n * short // min(size) for n in size)
        return (wide, high), round((wide - width) / 2), round((high - height) / 2)


def picture_size(shape: tuple[int, ...] | None) -> tuple[int, int] | None:
    """Return (y, x) of inputs that are pictures (channel, y, x); None of others, and of unknown."""
    if shape is None or len(shape) != 3 or shape[0] not in {1, 3}:
        return None
    return shape[1], shape[2]
