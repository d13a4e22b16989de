"""Scatter: the Student distribution of all patches of some inputs, by its likelihood."""

from collections.abc import Iterable
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, optimize, special

from preddiff.errors import SamplerError
from preddiff.samplers.files import Fact
from preddiff.samplers.gaussian.axes import PatchCovariance, Patches, PatchMean
from preddiff.samplers.gaussian.patch_statistics import (
    check_channels,
    checked_input,
    without_cross_channels,
)
from preddiff.samplers.gaussian.patches import flattened, patch_corners
from preddiff.types import Floats, Mask

_MOST_VALUES = 1 << 25  # that are held, 256 MiB
_FLOOR = 1e-9  # of the mean variance
_MOST_ROUNDS = 20
_ENOUGH = 1e-5  # nats per value, by which a round must raise the likelihood
# Flat patches, which pictures are full of, ask for none at all. Below 1 nothing else changes: what
# surrounds a window tells its scale far better.
_FREEDOMS = (1.0, 1000.0)

Distances = Annotated[Floats, "n"]


class StudentStatistics(NamedTuple):
    """The Student distribution of all patches.

    Attributes
    ----------
    mean, scatter : (p,) and (p, p), of patches flattened in C order.
    freedom : its degrees.
    shape : (channel, *patch).
    facts : of the fit: channels, inputs, patches.
    """

    mean: PatchMean
    scatter: PatchCovariance
    freedom: float
    shape: tuple[int, ...]
    facts: dict[str, Fact]


def estimate(
    inputs: Iterable[ArrayLike], patch: int, channels: str, mask: Mask | None = None
) -> StudentStatistics:
    """Estimate the Student distribution of all patches of some inputs.

    Parameters and errors are those of `patch_statistics.estimate`.
    """
    check_channels(channels)
    patches, shape, members = gathered(inputs, patch, mask)
    mean, covariance = patches.mean(axis=0), np.cov(patches.T)
    scatter = _lifted(np.atleast_2d(covariance))
    freedom, likelihood = 4.0, -np.inf
    for _ in range(_MOST_ROUNDS):
        if channels == "independent":
            scatter = without_cross_channels(scatter, shape[0])
        lower = linalg.cholesky(scatter, lower=True)
        square = _distances(patches - mean, lower)
        freedom = _best_freedom(square, len(mean))
        reached = float(_log_density(square, lower, freedom).mean() / len(mean))
        if reached < likelihood + _ENOUGH:
            break
        likelihood = reached
        # Each patch counts by what its scale is expected to be, 1/v. Dividing by the sum of these
        # and not by their number leads to the same place in fewer rounds (Kent, Tyler & Vardi,
        # "A curious likelihood identity for the multivariate t-distribution", 1994).
        weights = (freedom + len(mean)) / (freedom + square)
        mean = weights @ patches / weights.sum()
        scaled = (patches - mean) * np.sqrt(weights / weights.sum())[:, None]
        scatter = _lifted(scaled.T @ scaled)
    facts: dict[str, Fact] = {"channels": channels, "inputs": members, "patches": len(patches)}
    return StudentStatistics(mean, scatter, freedom, shape, facts)


def gathered(
    inputs: Iterable[ArrayLike], patch: int, mask: Mask | None
) -> tuple[Patches, tuple[int, ...], int]:
    """Return patches of inputs, as many as memory is to hold, their shape, and how many inputs.

    They are a third of their length apart, as nearer ones say almost the same.

    Raises
    ------
    SamplerError
        If inputs cannot be used, or there are too few patches for the number of values in one.
    """
    if patch < 1:
        raise SamplerError(f"patch={patch}: expected at least 1")
    random, held, share = np.random.default_rng(0), np.empty((0, 0)), 1.0
    shape: tuple[int, ...] = ()
    members = 0
    for member in inputs:
        values = checked_input(member, patch, members, mask)
        own = (len(values), *(patch,) * (values.ndim - 1))
        if members and own != shape:
            raise SamplerError(
                f"input {members} has patches of shape {own}: expected {shape}, as the ones "
                "before it"
            )
        shape = own
        corners = patch_corners(
            values.shape[1:], patch, mask, (max(1, patch // 3),) * (values.ndim - 1)
        )
        # As many of each input as of those before it, of which some were given up.
        some = flattened(values, corners[random.random(len(corners)) < share], shape)
        held = np.concatenate([held, some]) if members else some
        while held.size > _MOST_VALUES:
            held, share = held[random.random(len(held)) < 0.5], share / 2
        members += 1
    if members < 2 or len(held) < 2 * held.shape[1]:
        raise SamplerError(
            f"{members} inputs with {len(held)} patches are too few: expected at least 2 inputs "
            f"and two patches for each of the {held.shape[1]} values in one; add inputs or choose "
            "a smaller patch"
        )
    return held, shape, members


def _lifted(scatter: PatchCovariance) -> PatchCovariance:
    """Return a scatter with a little added, so that constant inputs have a Cholesky factor too."""
    # A share of the mean variance, as a normal's covariance gets, would be far too much: of
    # pictures, the finest details vary by 1e-5 of it, and they tell the scale.
    level = np.trace(scatter) / len(scatter)
    return np.asarray(scatter + (_FLOOR * level + _FLOOR**2) * np.eye(len(scatter)))


def _distances(deviations: Patches, lower: PatchCovariance) -> Distances:
    """Squared Mahalanobis distances."""
    white = linalg.solve_triangular(lower, deviations.T, lower=True, check_finite=False)
    return np.asarray(np.einsum("pn,pn->n", white, white))


def _best_freedom(square: Distances, values: int) -> float:
    found = optimize.minimize_scalar(
        lambda log: -_of_distances(square, values, np.exp(log)).mean(),
        bounds=np.log(_FREEDOMS),
        method="bounded",
    )
    return float(np.exp(found.x))


def _log_density(square: Distances, lower: PatchCovariance, freedom: float) -> Distances:
    known = _of_distances(square, len(lower), freedom)
    return np.asarray(known - np.log(np.diag(lower)).sum())


def _of_distances(square: Distances, values: int, freedom: float) -> Distances:
    """What of the log density depends on distances and degrees of freedom."""
    constant = special.gammaln((freedom + values) / 2) - special.gammaln(freedom / 2)
    volume = values / 2 * np.log(freedom * np.pi)
    return np.asarray(constant - volume - (freedom + values) / 2 * np.log1p(square / freedom))
