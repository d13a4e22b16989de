"""Maps of groups of inputs on one grid: their means, and how two groups differ."""

import warnings
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from preddiff.errors import SettingError
from preddiff.types import AnyShape, Floats

_FEWEST = 2  # subjects, of which a spread can be told


@dataclass(frozen=True, eq=False)
class GroupMap:
    """The mean map of a group.

    Attributes
    ----------
    name : of the group.
    count : of its subjects.
    mean, error : (*shape), mean over subjects and its standard error, by how subjects differ; NaN
        where a subject has no value, and the error of a single subject.
    """

    name: str
    count: int
    mean: AnyShape
    error: AnyShape


@dataclass(frozen=True, eq=False)
class GroupDifference:
    """The difference of two groups.

    Attributes
    ----------
    names : the mean of the second is subtracted from that of the first.
    difference : (*shape), of the means.
    p : (*shape), two-sided p-values, corrected for the number of voxels: the chance of a difference
        as large as this anywhere, where groups do not differ (family-wise error, by permutations of
        the largest statistic).
    permutations : number of them.
    """

    names: tuple[str, str]
    difference: AnyShape
    p: AnyShape
    permutations: int


def group_map(name: str, maps: AnyShape) -> GroupMap:
    """Return the mean of maps (subject, *shape), and its standard error over subjects."""
    count = len(maps)
    spread = maps.std(axis=0, ddof=1) if count >= _FEWEST else np.full(maps.shape[1:], np.nan)
    return GroupMap(name, count, maps.mean(axis=0), spread / np.sqrt(count))


def group_difference(
    names: tuple[str, str], first: AnyShape, second: AnyShape, permutations: int, seed: int = 0
) -> GroupDifference:
    """Return the difference of two groups of maps (subject, *shape), by permutations of subjects.

    Voxels without a value in every map, or with the same value in all, are not tested: NaN.

    Raises
    ------
    SettingError
        If a group has fewer than two subjects.
    """
    from nilearn.mass_univariate import permuted_ols

    if min(len(first), len(second)) < _FEWEST:
        raise SettingError(
            f"groups of {len(first)} and {len(second)} subjects: expected at least {_FEWEST} in "
            "each to compare them"
        )
    maps = np.concatenate([first, second])
    flat = maps.reshape(len(maps), -1)
    tested = np.isfinite(flat).all(axis=0) & (np.ptp(flat, axis=0) > 0)
    of_first = np.repeat([1.0, 0.0], [len(first), len(second)])[:, None]
    p = np.full(flat.shape[1], np.nan)
    if tested.any():
        with warnings.catch_warnings(action="ignore"):  # of its own plans for its next version
            found = permuted_ols(
                of_first,
                flat[:, tested].astype(np.float64),
                model_intercept=True,
                n_perm=permutations,
                two_sided_test=True,
                random_state=seed,
                n_jobs=1,
                output_type="dict",
            )
        p[tested] = 10.0 ** -found["logp_max_t"][0]
    shape = first.shape[1:]
    return GroupDifference(
        names, first.mean(axis=0) - second.mean(axis=0), p.reshape(shape), permutations
    )


def unlikeness(maps: AnyShape) -> Annotated[Floats, "subject"]:
    """Return how unlike the mean of the others each map (subject, *shape) is: 1 - correlation.

    0 is alike, 1 has nothing in common, 2 is the opposite; NaN where there are no others, or a map
    is the same everywhere.
    """
    flat = np.nan_to_num(maps.reshape(len(maps), -1).astype(np.float64))
    others = (flat.sum(axis=0) - flat) / max(1, len(flat) - 1)
    centred, of_others = (each - each.mean(axis=1, keepdims=True) for each in (flat, others))
    size = np.sqrt((centred**2).sum(axis=1) * (of_others**2).sum(axis=1))
    products = (centred * of_others).sum(axis=1)
    correlation = np.divide(products, size, out=np.full(len(flat), np.nan), where=size > 0)
    return np.asarray(1 - correlation)
