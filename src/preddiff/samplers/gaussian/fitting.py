"""Patch statistics from inputs that come one at a time."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.samplers.gaussian.patches import flattened, places

Array = NDArray[np.float64]

CHANNELS = ("joint", "independent")
_CHUNK = 4096  # patches whose values are held at once


def check_channels(channels: str) -> None:
    """Raise a SamplerError unless this is a way to treat the channels."""
    if channels not in CHANNELS:
        raise SamplerError(f"channels={channels!r}: expected {' or '.join(CHANNELS)}")


def patch_statistics(
    inputs: Iterable[ArrayLike],
    patch: int,
    channels: str,
    mask: NDArray[np.bool_] | None = None,
) -> tuple[Array, Array, tuple[int, ...], dict[str, Any]]:
    """Mean and shrunk covariance of all patches, their shape, and the facts of the fit.

    Memory holds one input and one covariance. Patches are taken a third of their length apart;
    with a mask (*spatial), only those that are centred in it.
    """
    check_channels(channels)
    if patch < 1:
        raise SamplerError(f"patch={patch}: expected at least 1")
    moments, members = None, 0
    for member in inputs:
        values = checked(member, patch, members, mask)
        shape = (len(values), *(patch,) * (values.ndim - 1))
        moments = moments or _Moments(shape)
        if shape != moments.shape:
            raise SamplerError(
                f"input {members} has patches of shape {shape}: expected {moments.shape}, as the "
                "ones before it"
            )
        corners = places(values.shape[1:], patch, mask, (max(1, patch // 3),) * (values.ndim - 1))
        for first in range(0, len(corners), _CHUNK):
            moments.add(flattened(values, corners[first : first + _CHUNK], shape))
        members += 1
    if moments is None or members < 2 or moments.count < moments.size:
        wanted = f"{moments.size} patches, as many as a patch has values" if moments else "a patch"
        raise SamplerError(
            f"{members} inputs with {moments.count if moments else 0} patches are too few: "
            f"expected at least 2 inputs and {wanted}; add inputs or choose a smaller patch"
        )
    mean, covariance = moments.result()
    if channels == "independent":
        covariance = without_cross_channels(covariance, moments.shape[0])
    covariance, share = shrink(covariance, moments.count)
    facts = {
        "channels": channels,
        "inputs": members,
        "patches": moments.count,
        "shrinkage": round(share, 6),
    }
    return mean, covariance, moments.shape, facts


def without_cross_channels(covariance: Array, channels: int) -> Array:
    """The covariance with every value between two different channels set to 0."""
    same = np.kron(np.eye(channels), np.ones((len(covariance) // channels,) * 2))
    return covariance * same


def shrink(covariance: Array, patches: int) -> tuple[Array, float]:
    """Covariance drawn towards a multiple of the identity, and by how much.

    A little more is added so that the result has a Cholesky factor even where inputs are constant.
    """
    size, share = len(covariance), shrinkage(covariance, patches)
    level = np.trace(covariance) / size
    floor = 1e-9 * level + 1e-12
    return (1 - share) * covariance + (share * level + floor) * np.eye(size), share


def shrinkage(covariance: Array, patches: float) -> float:
    """By how much to draw a covariance towards a multiple of the identity.

    The oracle-approximating shrinkage of Chen, Wiesel, Eldar & Hero (IEEE TSP 58, 2010, eq. 23),
    whose formula needs only the covariance and the number of samples.
    """
    size = len(covariance)
    trace, square = np.trace(covariance), np.sum(covariance**2)
    above = (1 - 2 / size) * square + trace**2
    below = (patches + 1 - 2 / size) * (square - trace**2 / size)
    return 1.0 if below <= 0 else float(min(1.0, above / below))


def checked(
    member: ArrayLike, patch: int, number: int, mask: NDArray[np.bool_] | None
) -> NDArray[np.floating]:
    """An input that patches can be taken of, or a SamplerError that says why not."""
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


class _Moments:
    """Running sums for the mean and the covariance of patches of one shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.size = size = math.prod(shape)
        self.count = 0
        self.origin = np.zeros(size)
        self.total = np.zeros(size)
        self.products = np.zeros((size, size))

    def add(self, rows: Array) -> None:
        if self.count == 0:
            self.origin = rows[0].copy()  # near the mean: large values lose no digits
        rows = rows - self.origin
        self.count += len(rows)
        self.total += rows.sum(axis=0)
        self.products += rows.T @ rows

    def result(self) -> tuple[Array, Array]:
        mean = self.total / self.count
        covariance = (self.products - self.count * np.outer(mean, mean)) / max(1, self.count - 1)
        return self.origin + mean, covariance
