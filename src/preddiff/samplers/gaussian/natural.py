"""The embedded statistics of natural pictures: an autocovariance that serves every patch size.

`scripts/fit_natural.py` made natural.npz; docs/samplers.md says from what.
"""

from functools import cache
from importlib import resources
from typing import Annotated

import numpy as np

from preddiff.errors import SamplerError
from preddiff.samplers.gaussian.axes import PatchCovariance, PatchMean
from preddiff.samplers.gaussian.patch_statistics import check_channels, without_cross_channels
from preddiff.types import Floats, PerChannel

REACH = 32
"""The largest patch whose lags are all known."""

_LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as PIL converts to grey

Autocovariance = Annotated[Floats, "channel channel lag_y lag_x"]
"""Covariance of channel a at a pixel with channel b, lag (y, x) further on; lag 0 is central."""


def patch_statistics(patch: int, channels: str, colours: int) -> tuple[PatchMean, PatchCovariance]:
    """Return mean and covariance of patches (colours, patch, patch), flattened in C order.

    Raises
    ------
    SamplerError
        If there are no statistics for so large a patch or so many colours.
    """
    check_channels(channels)
    mean, autocovariance = statistics(colours)
    if not 1 <= patch <= REACH:
        raise SamplerError(
            f"window + 2·margin = {patch}: the embedded covariance is of patches of 1 to {REACH}; "
            "choose a smaller window or margin, or StationaryGaussian.natural"
        )
    covariance = _block_toeplitz(autocovariance, patch)
    if channels == "independent":
        covariance = without_cross_channels(covariance, colours)
    return np.repeat(mean, patch * patch), covariance


def statistics(colours: int) -> tuple[PerChannel, Autocovariance]:
    """Return the mean colour and the autocovariance of natural pictures.

    Parameters
    ----------
    colours : 3 for red, green, blue; 1 for luminance.

    Raises
    ------
    SamplerError
        If there are no statistics of so many colours.
    """
    mean, autocovariance = _read()
    if colours == 1:
        # Luminance is a weighted sum of the channels, L = Σ w_a·x_a: cov(L, L) = Σ w_a·w_b·cov_ab.
        mean = (_LUMINANCE @ mean)[None]
        autocovariance = np.einsum("a,b,abyx->yx", _LUMINANCE, _LUMINANCE, autocovariance)[
            None, None
        ]
    elif colours != 3:
        raise SamplerError(
            f"the embedded sampler is of RGB and grey pictures, the input has {colours} channels: "
            "fit one on inputs like it (ConditionalGaussian.fit), or take the marginal sampler"
        )
    return mean, autocovariance


def _block_toeplitz(autocovariance: Autocovariance, patch: int) -> PatchCovariance:
    """Covariance of patches from the covariance of channel a here and channel b further on."""
    # Natural pictures look alike wherever a patch is cut out of them (they are stationary), so the
    # covariance of two values depends on their channels and on the lag between them alone:
    #
    #     cov(x_a(p), x_b(q)) = C_ab(q - p)
    #
    # For pixels in C order that is, for each pair of channels, a Toeplitz matrix (lag along y) of
    # Toeplitz matrices (lag along x). One table C of lags up to ±31, 9·63² numbers, so serves every
    # patch up to 32×32, whose own covariance would have 3072² of them. It is positive definite for
    # every patch because C is the inverse transform of a power spectrum, nowhere negative
    # (Herglotz's and Bochner's theorem).
    colours, reach = len(autocovariance), (autocovariance.shape[-1] + 1) // 2
    y, x = (coordinate.reshape(-1) for coordinate in np.indices((patch, patch)))
    down = y[None, :] - y[:, None] + reach - 1
    right = x[None, :] - x[:, None] + reach - 1
    blocks = autocovariance[:, :, down, right]  # (a, b, pixel of a, pixel of b)
    size = colours * patch * patch
    return blocks.transpose(0, 2, 1, 3).reshape(size, size)


# Kept for good: 300 kB that every `conditional` analysis needs.
@cache
def _read() -> tuple[Annotated[Floats, "channel"], Autocovariance]:
    with resources.files("preddiff.samplers.gaussian").joinpath("natural.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        return arrays["mean"].astype(np.float64), arrays["autocovariance"].astype(np.float64)
