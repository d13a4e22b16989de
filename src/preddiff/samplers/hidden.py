"""From a SPEC to a Sampler of a hidden node's values."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from preddiff.errors import SamplerError
from preddiff.media import folders, images
from preddiff.samplers.base import Sampler
from preddiff.samplers.channelwise import ChannelwiseGaussian
from preddiff.samplers.load import constant
from preddiff.samplers.marginal import Marginal


def load_hidden_sampler(
    spec: str | Sampler,
    *,
    patch: int,
    values: Callable[[Image.Image], NDArray[np.float32]],
) -> Sampler:
    """The sampler that is meant, for windows of a hidden node.

    Parameters
    ----------
    spec : conditional:FOLDER, marginal:FOLDER (of pictures), constant:VALUE; or a sampler, which is
        taken as it is.
    patch : length of the conditional sampler's patch.
    values : the node's values on a picture, laid out as the windows want them.
    """
    if not isinstance(spec, str):
        return spec
    kind, _, rest = spec.partition(":")
    if kind in {"conditional", "marginal"} and rest:
        pool = np.stack([values(images.read(path)) for path in folders.find_pictures(rest)])
        return Marginal(pool) if kind == "marginal" else ChannelwiseGaussian.fit(pool, patch)
    if kind == "constant" and rest:
        return constant(rest, mean=None)
    raise SamplerError(
        f"sampler {spec!r}: of a hidden node, expected conditional:FOLDER or marginal:FOLDER (its "
        "pictures show what values the node has), or constant:VALUE"
    )
