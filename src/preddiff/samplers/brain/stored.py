"""What a file holds of a normal over the brain."""

import math
from collections.abc import Mapping

import numpy as np

from preddiff.errors import SamplerError
from preddiff.media.archives import AnyArray
from preddiff.samplers.brain.factors import Factors
from preddiff.samplers.brain.noise import Noise
from preddiff.samplers.brain.normal import BrainNormal
from preddiff.samplers.files import Contents

NUMBERS = ("guard", "share", "reach")
"""Names of those that `numbers` returns; there is a reach only if it is finite."""


def arrays(normal: BrainNormal) -> Mapping[str, AnyArray]:
    """Return the arrays of a normal, by name."""
    return {
        "shape": np.array(normal.mask.shape),
        "mask": np.packbits(normal.mask),
        "mean": normal.factors.mean,
        "loadings": normal.factors.loadings,
        "variance": normal.factors.variance,
        "spacing": np.array(normal.spacing),
        "lengths": np.array(normal.noise.lengths),
    }


def numbers(normal: BrainNormal) -> dict[str, float]:
    """Return the single numbers of a normal, by name."""
    far = {"reach": normal.reach} if math.isfinite(normal.reach) else {}
    return {"guard": normal.guard, "share": normal.noise.share, **far}


def restored(contents: Contents, covariates: int) -> BrainNormal:
    """Return the normal of a file.

    Parameters
    ----------
    covariates : how many of its factors have known values.

    Raises
    ------
    SamplerError
        If the shapes or values of its arrays do not agree.
    """
    guard, share = float(contents.facts["guard"]), float(contents.facts["share"])
    reach = float(contents.facts.get("reach", math.inf))
    shape = contents.lengths("shape")
    mask = np.unpackbits(
        contents.numbers("mask", 1).astype(np.uint8), count=math.prod(shape)
    ).astype(bool)
    mean, variance = contents.numbers("mean", 1), contents.numbers("variance", 1)
    loadings = contents.numbers("loadings", 2)
    spacing, lengths = contents.numbers("spacing", 1), contents.numbers("lengths", 1)
    agree = (
        mean.shape == variance.shape == loadings.shape[1:] == (mask.sum(),)
        and spacing.shape == lengths.shape == (len(shape),)
        and covariates <= len(loadings)
        and min(variance.min(), spacing.min(), lengths.min()) > 0
        and 0 <= share < 1
        and 0 <= guard < reach
    )
    if not agree:
        raise SamplerError("the shapes or values of its arrays do not agree; fit it anew")
    factors = Factors(*(each.astype(np.float64) for each in (mean, loadings, variance)))
    noise = Noise(share, tuple(lengths.tolist()))
    return BrainNormal(mask.reshape(shape), factors, noise, tuple(spacing.tolist()), guard, reach)
