"""The embedded statistics of natural pictures: an autocovariance that serves every patch size.

`scripts/fit_natural.py` made natural.npz; docs/samplers.md says from what.
"""

from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SamplerError
from preddiff.samplers.gaussian import fitting

Array = NDArray[np.float64]

_LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as PIL converts to grey


def patch_statistics(patch: int, channels: str, colours: int) -> tuple[Array, Array]:
    """Mean and covariance of patches (colours, patch, patch), flattened in C order.

    Raises
    ------
    SamplerError
        If there are no statistics for so large a patch or so many colours.
    """
    fitting.check_channels(channels)
    mean, autocovariance = _read()
    if colours == 1:
        mean = (_LUMINANCE @ mean)[None]
        autocovariance = np.einsum("a,b,abyx->yx", _LUMINANCE, _LUMINANCE, autocovariance)[
            None, None
        ]
    elif colours != 3:
        raise SamplerError(
            f"the embedded sampler is of RGB and grey pictures, the input has {colours} channels: "
            "fit one on inputs like it (ConditionalGaussian.fit), or take the marginal sampler"
        )
    reach = (autocovariance.shape[-1] + 1) // 2
    if not 1 <= patch <= reach:
        raise SamplerError(
            f"window + 2·margin = {patch}: the embedded sampler serves patches of 1 to {reach}; "
            "choose a smaller window or margin, or fit one with `preddiff sampler fit`"
        )
    covariance = _block_toeplitz(autocovariance, patch)
    if channels == "independent":
        covariance = fitting.without_cross_channels(covariance, colours)
    return np.repeat(mean, patch * patch), covariance


def _block_toeplitz(autocovariance: Array, patch: int) -> Array:
    """Covariance of patches from the covariance of channel a here and channel b further on."""
    colours, reach = len(autocovariance), (autocovariance.shape[-1] + 1) // 2
    y, x = (place.reshape(-1) for place in np.indices((patch, patch)))
    down = y[None, :] - y[:, None] + reach - 1
    right = x[None, :] - x[:, None] + reach - 1
    blocks = autocovariance[:, :, down, right]
    size = colours * patch * patch
    return blocks.transpose(0, 2, 1, 3).reshape(size, size)


@cache
def _read() -> tuple[Array, Array]:
    with resources.files("preddiff.samplers.gaussian").joinpath("natural.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        return arrays["mean"].astype(np.float64), arrays["autocovariance"].astype(np.float64)
