"""Families of samplers that are fitted: which sampler each of them is."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from preddiff.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from preddiff.classify import ReferenceGroup
    from preddiff.media.folders import VolumeFolder
    from preddiff.samplers import Cohort, Marginal
    from preddiff.samplers.files import Stored
    from preddiff.samplers.gaussian.anywhere import Anywhere
    from preddiff.types import Pixels


class Channels(StrEnum):
    """The normal of the colour channels: one of all, or one of each."""

    JOINT = "joint"
    INDEPENDENT = "independent"


class Family(StrEnum):
    """Kind of sampler that is fitted."""

    CONDITIONAL = "conditional"
    STUDENT = "student"
    MIXTURE = "mixture"
    COHORT = "cohort"
    MARGINAL = "marginal"


def fit_pictures(
    family: Family, pictures: "Iterable[Pixels]", patch: int, channels: Channels, stationary: bool
) -> "Stored":
    """Return the sampler of patches of pictures."""
    from preddiff.samplers import StationaryGaussian

    if not stationary:
        return _of_patches(family).fit(pictures, patch=patch, channels=channels)
    if channels is not Channels.JOINT:
        raise SettingError("--stationary: channels are joint; leave --channels out")
    return StationaryGaussian.fit(pictures, patch=patch)


def fit_patches(
    family: Family,
    scans: "VolumeFolder",
    patch: int,
    grid: str | None,
    mask: Path | None,
    stationary: bool,
) -> "Stored":
    """Return the sampler of patches of scans."""
    from preddiff.media import volumes
    from preddiff.samplers import Located, StationaryGaussian

    if stationary:
        return StationaryGaussian.fit(scans, patch=patch)
    inside = None if mask is None else volumes.read_mask(mask, scans.grid)
    if grid is None:
        return _of_patches(family).fit(scans, patch=patch, mask=inside)
    return Located.fit(scans, patch=patch, grid=_cell_counts(grid), mask=inside)


def fit_cohort(
    scans: "VolumeFolder",
    mask: Path | None,
    group: "ReferenceGroup | None",
    guard: float | None,
    reach: float | None,
    factors: int | None,
) -> "Cohort":
    """Return the normal over whole scans."""
    from preddiff.classify.covariates import by_name
    from preddiff.media import volumes
    from preddiff.samplers import Cohort
    from preddiff.samplers.brain.cohort import GUARD

    return Cohort.fit(
        scans,
        None if mask is None else volumes.read_mask(mask, scans.grid),
        factors=factors,
        guard=GUARD if guard is None else guard,
        reach=reach,
        covariates=by_name(group.covariates) if group else {},
    )


def keep_all(scans: "VolumeFolder", mask: Path | None) -> "Marginal":
    """Return the sampler that draws scans as they are."""
    import numpy as np

    from preddiff.samplers import Marginal

    if mask is not None:
        raise SettingError("--mask: marginal keeps whole scans; leave it out")
    return Marginal(np.stack(list(scans)), scan_grid=scans.grid)


def _of_patches(family: Family) -> "type[Anywhere]":
    from preddiff.samplers import ConditionalGaussian, Mixture, StudentT

    kinds: dict[Family, type[Anywhere]] = {
        Family.CONDITIONAL: ConditionalGaussian,
        Family.STUDENT: StudentT,
        Family.MIXTURE: Mixture,
    }
    return kinds[family]


def _cell_counts(grid: str) -> list[int]:
    """The numbers in Z,Y,X."""
    try:
        return [int(part) for part in grid.split(",")]
    except ValueError:
        raise SettingError(f"--grid {grid}: expected whole numbers, e.g. 20,20,20") from None
