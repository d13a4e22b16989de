"""What stands where a picture is hidden while a map is scored: grey, blurred, in-painted.

None of them is trained, and all are deterministic, so a difference between two maps is theirs.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from preddiff.models import Model
from preddiff.samplers.opencv import inpainted
from preddiff.studies.evaluation.maps import HiddenPixels
from preddiff.types import Batch, PerChannel, Pixels

Imputer = Callable[[Model, Pixels, HiddenPixels], Batch]
"""Returns variants (n, channel, y, x) of a picture, each with other pixels hidden."""

_GREY = 0.5  # where a model does not say the mean of its pictures
_BLUR = 20  # of a side's length in a standard deviation: 11 pixels of 224


def grey(model: Model, picture: Pixels, hidden: HiddenPixels) -> Batch:
    """Return variants whose hidden pixels have the mean colour of the model's pictures."""
    colour = mean_colour(model, picture)[:, None, None]
    return _filled(picture, hidden, np.broadcast_to(colour, picture.shape).astype(np.float32))


def blurred(model: Model, picture: Pixels, hidden: HiddenPixels) -> Batch:
    """Return variants whose hidden pixels are those of the blurred picture.

    The blur is Gaussian, with a standard deviation of a twentieth of the picture's shorter side.
    """
    del model
    return _filled(picture, hidden, blurred_picture(picture))


def telea(model: Model, picture: Pixels, hidden: HiddenPixels) -> Batch:
    """Return variants whose hidden pixels are in-painted from the visible ones (Telea 2004).

    Where nothing is visible, they have the mean colour. OpenCV paints in steps of 1/255; visible
    pixels stay exactly as they are.

    Raises
    ------
    SamplerError
        If OpenCV is not installed.
    """
    variants = grey(model, picture, hidden)
    for variant, where in zip(variants, hidden, strict=True):
        if not where.all():
            variant[:] = inpainted(picture, where, "telea")
    return variants


def mean_colour(model: Model, picture: Pixels) -> PerChannel:
    """Return the mean of the model's pictures per channel, or grey where it knows none."""
    return np.full(len(picture), _GREY) if model.mean is None else np.asarray(model.mean)


def blurred_picture(picture: Pixels) -> Pixels:
    """Return the picture that `blurred` takes hidden pixels from."""
    sigma = min(picture.shape[1:]) / _BLUR
    return np.asarray(ndimage.gaussian_filter(picture, (0, sigma, sigma)), dtype=np.float32)


def _filled(picture: Pixels, hidden: HiddenPixels, filling: Pixels) -> Batch:
    return np.where(hidden[:, None], filling[None], picture[None])


IMPUTERS: dict[str, Imputer] = {"grey": grey, "blurred": blurred, "telea": telea}
"""Imputers by the name that metrics have after a colon."""
