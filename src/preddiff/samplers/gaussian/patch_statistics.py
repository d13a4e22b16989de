"""Patch statistics: mean and covariance of all patches of inputs that come one at a time."""

from collections.abc import Iterable
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.samplers.files import Fact
from preddiff.samplers.gaussian.axes import PatchCovariance, PatchMean
from preddiff.samplers.gaussian.moments import Moments
from preddiff.samplers.gaussian.patches import flattened, patch_corners
from preddiff.samplers.gaussian.shrinkage import shrink
from preddiff.types import Mask

CHANNEL_MODES = ("joint", "independent")
_MAX_PATCHES_HELD = 4096  # whose values are unfolded at once


class PatchStatistics(NamedTuple):
    """The normal of all patches.

    Attributes
    ----------
    mean, covariance : (p,) and (p, p), of patches flattened in C order; the covariance is shrunk.
    shape : (channel, *patch).
    facts : of the fit: channels, inputs, patches, shrinkage.
    """

    mean: PatchMean
    covariance: PatchCovariance
    shape: tuple[int, ...]
    facts: dict[str, Fact]


def estimate(
    inputs: Iterable[ArrayLike], patch: int, channels: str, mask: Mask | None = None
) -> PatchStatistics:
    """Estimate the normal of all patches of some inputs.

    Memory holds one input and one covariance. Patches are taken a third of their length apart,
    as nearer ones say almost the same; with a mask (*spatial), only those that are centred in it.

    Raises
    ------
    SamplerError
        If inputs cannot be used, or there are too few patches for the number of values in one.
    """
    check_channels(channels)
    if patch < 1:
        raise SamplerError(f"patch={patch}: expected at least 1")
    moments, members = None, 0
    for member in inputs:
        values = checked_input(member, patch, members, mask)
        shape = (len(values), *(patch,) * (values.ndim - 1))
        moments = moments or Moments(shape)
        if shape != moments.shape:
            raise SamplerError(
                f"input {members} has patches of shape {shape}: expected {moments.shape}, as the "
                "ones before it"
            )
        step = (max(1, patch // 3),) * (values.ndim - 1)
        corners = patch_corners(values.shape[1:], patch, mask, step)
        for first in range(0, len(corners), _MAX_PATCHES_HELD):
            moments.add(flattened(values, corners[first : first + _MAX_PATCHES_HELD], shape))
        members += 1
    moments = _enough(moments, members)
    mean, covariance = moments.result()
    if channels == "independent":
        covariance = without_cross_channels(covariance, moments.shape[0])
    covariance, share = shrink(covariance, moments.count)
    facts: dict[str, Fact] = {
        "channels": channels,
        "inputs": members,
        "patches": moments.count,
        "shrinkage": round(share, 6),
    }
    return PatchStatistics(mean, covariance, moments.shape, facts)


def check_channels(channels: str) -> None:
    """Raise a SamplerError unless this is a way to treat the channels."""
    if channels not in CHANNEL_MODES:
        raise SamplerError(f"channels={channels!r}: expected {' or '.join(CHANNEL_MODES)}")


def without_cross_channels(covariance: PatchCovariance, channels: int) -> PatchCovariance:
    """Return the covariance with every value between two different channels set to 0."""
    # What is left are the diagonal blocks, which stay positive semi-definite.
    same = np.kron(np.eye(channels), np.ones((len(covariance) // channels,) * 2))
    return covariance * same


def checked_input(
    member: ArrayLike, patch: int, number: int, mask: Mask | None
) -> Annotated[NDArray[np.floating], "channel *spatial"]:
    """Return an input that patches can be taken of.

    Raises
    ------
    SamplerError
        If it is too small, does not have the mask's shape, or has values that are not finite.
    """
    values = np.asarray(member)
    if values.ndim < 2 or any(n < patch for n in values.shape[1:]):
        raise SamplerError(
            f"input {number} has shape {values.shape}: expected (channel, *spatial) with at least "
            f"{patch} in each direction"
        )
    if mask is not None and mask.shape != values.shape[1:]:
        raise SamplerError(
            f"a mask of shape {mask.shape}: expected that of input {number}, {values.shape[1:]}"
        )
    if not np.isfinite(values).all():
        raise SamplerError(f"input {number} has values that are NaN or infinite; leave it out")
    return values


def _enough(moments: Moments | None, members: int) -> Moments:
    """The moments, or a SamplerError if they are of too few patches."""
    # With fewer patches than values the sample covariance is singular. Shrinkage would hide that,
    # but a normal of so little would be mostly the multiple of the identity.
    if moments is None or members < 2 or moments.count < moments.size:
        wanted = f"{moments.size} patches, as many as a patch has values" if moments else "a patch"
        raise SamplerError(
            f"{members} inputs with {moments.count if moments else 0} patches are too few: "
            f"expected at least 2 inputs and {wanted}; add inputs or choose a smaller patch"
        )
    return moments
