"""Mixing: mixtures of Student distributions of patches, by their likelihood.

An EM algorithm (Peel & McLachlan, "Robust mixture modelling using the t distribution", Statistics
and Computing 10, 2000). Axis names: n patch, c component.
"""

from typing import Annotated, NamedTuple

import numpy as np
from scipy import linalg, special

from preddiff.samplers.gaussian.axes import Patches
from preddiff.samplers.gaussian.gathering import Gathered
from preddiff.samplers.gaussian.patch_statistics import without_cross_channels
from preddiff.samplers.gaussian.scatter import (
    Each,
    Law,
    best_freedom,
    distances,
    log_density,
    moments,
    of_distances,
    pull,
)
from preddiff.types import Floats

_MOST_ROUNDS = 20
_ENOUGH = 1e-5  # nats per value, by which a round must raise the likelihood
_WORTH_IT = 1e-3  # the same of held-out patches, for twice the components and the time they take
_HELD_OUT = 5  # of so many inputs, one
_LEAST = 4  # patches for each value in one, below which a component is not divided

Shares = Annotated[Floats, "n c"]
"""How likely each patch is of each component."""


class Mixed(NamedTuple):
    """A mixture of Student distributions.

    Attributes
    ----------
    weights : (c,), which sum to 1.
    laws : one for each component.
    shares : (n, c), of the patches that it was fitted on.
    """

    weights: Annotated[Floats, "c"]
    laws: list[Law]
    shares: Shares

    def log_density(self, patches: Patches) -> Each:
        """Return the logarithm of the density of patches."""
        every = np.stack([log_density(patches, law) for law in self.laws], axis=1)
        return np.asarray(special.logsumexp(every + np.log(self.weights), axis=1))


def single(found: Gathered) -> Law:
    """Return the Student distribution of patches."""
    return likeliest(found, np.ones((len(found.patches), 1))).laws[0]


def best(found: Gathered) -> Mixed:
    """Return the mixture whose number of components makes patches of held-out inputs likeliest.

    Their number is doubled as long as that is worth it.
    """
    out = found.owners % _HELD_OUT == 0
    kept, held = found.some(np.flatnonzero(~out)), found.patches[out]
    mixed = likeliest(kept, np.ones((len(kept.patches), 1)))
    reached = mixed.log_density(held).mean()
    while (shares := _divided(kept.patches, mixed)) is not None:
        finer = likeliest(kept, shares)
        likelihood = finer.log_density(held).mean()
        if likelihood < reached + _WORTH_IT * held.shape[1]:
            break
        mixed, reached = finer, likelihood
    every = np.empty((len(out), len(mixed.laws)))
    every[~out] = mixed.shares
    every[out] = _shares(np.stack([log_density(held, law) for law in mixed.laws], 1), mixed.weights)
    return likeliest(found, every)


def likeliest(found: Gathered, shares: Shares) -> Mixed:
    """Return the mixture of greatest likelihood near some shares.

    Components that are left with fewer patches than a patch has values are dropped.
    """
    patches, values = found.patches, found.patches.shape[1]
    reached, counts, mixed = -np.inf, shares, Mixed(np.empty(0), [], shares)
    for _ in range(_MOST_ROUNDS):
        enough = shares.sum(axis=0) >= min(values, len(patches))
        shares, counts = shares[:, enough], counts[:, enough]
        weights = shares.sum(axis=0) / shares.sum()
        laws, densities, pulls = [], [], []
        for share, count in zip(shares.T, counts.T, strict=True):
            mean, scatter = moments(patches, count)
            if found.channels == "independent":
                scatter = without_cross_channels(scatter, found.shape[0])
            square, log_volume = distances(patches, mean, scatter)
            freedom = best_freedom(square, share, values)
            laws.append(Law(mean, scatter, freedom))
            densities.append(of_distances(square, values, freedom) - log_volume)
            pulls.append(pull(square, freedom, values))
        every = np.stack(densities, axis=1)
        likelihood = special.logsumexp(every + np.log(weights), axis=1).mean()
        if likelihood < reached + _ENOUGH * values:
            break
        shares, reached = _shares(every, weights), likelihood
        counts = shares * np.stack(pulls, axis=1)
        mixed = Mixed(weights, laws, shares)
    return mixed


def _shares(log_densities: Annotated[Floats, "n c"], weights: Annotated[Floats, "c"]) -> Shares:
    return np.asarray(special.softmax(log_densities + np.log(weights), axis=1))


def _divided(patches: Patches, mixed: Mixed) -> Shares | None:
    """Return the shares of twice the components; None if none has enough patches."""
    owner = mixed.shares.argmax(axis=1)
    columns = []
    for component, law in enumerate(mixed.laws):
        mine = owner == component
        if mine.sum() < _LEAST * patches.shape[1]:
            columns.append(mine)
            continue
        upper = np.zeros(len(mine), dtype=bool)
        kind = _kind(patches[mine], law)
        upper[np.flatnonzero(mine)[kind > np.median(kind)]] = True
        columns += [upper, mine & ~upper]
    return np.stack(columns, axis=1).astype(float) if len(columns) > len(mixed.laws) else None


def _kind(patches: Patches, law: Law) -> Each:
    """Return by what patches of a component differ most, once they have the same scale."""
    # Not their values, which are uncorrelated once the scatter is taken off, but their squares:
    # smooth patches have all of it in few directions, edges and textures in others.
    variances, axes = linalg.eigh(law.scatter)
    square = ((patches - law.mean) @ axes) ** 2 / variances
    square /= square.mean(axis=1, keepdims=True)
    square -= square.mean(axis=0)
    last = square.shape[1] - 1
    _, direction = linalg.eigh(square.T @ square, subset_by_index=[last, last])
    return np.asarray(square @ direction[:, 0])
