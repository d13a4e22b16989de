"""The scans of a cohort and their covariates, as what is fitted takes them."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.media.masks import inside as inside_of
from preddiff.samplers.brain.axes import Regressors, Scans
from preddiff.types import Mask

_FEWEST = 8  # scans of a cohort


def scans_of(volumes: Iterable[ArrayLike], mask: ArrayLike | None) -> tuple[Scans, Mask]:
    """Return values (n, v) of several volumes at the voxels that differ in a mask, and these.

    Raises
    ------
    SamplerError
        If there are too few, they differ in shape, or nothing differs.
    """
    inside = None if mask is None else inside_of(np.asarray(mask))
    scans: list[NDArray[np.float32]] = []
    shape: tuple[int, ...] = ()
    for volume in volumes:
        values = np.asarray(volume, dtype=np.float32)
        shape = shape or values.shape
        if values.shape != shape or len(values) != 1:
            raise SamplerError(
                f"a volume of shape {values.shape}: expected one channel and the shape of the "
                f"first, {shape}; resample it"
            )
        if inside is not None and inside.shape != shape[1:]:
            raise SamplerError(f"mask of shape {inside.shape}: expected {shape[1:]}")
        scans.append(values[0] if inside is None else values[0][inside])
    if len(scans) < _FEWEST:
        raise SamplerError(f"{len(scans)} volumes: expected at least {_FEWEST} of a cohort")
    stacked = np.stack(scans)
    if not np.isfinite(stacked).all():
        raise SamplerError("a volume has values that are NaN or infinite; remove it, or mask them")
    differ = stacked.min(axis=0) < stacked.max(axis=0)
    if not differ.any():
        raise SamplerError("all volumes are the same in the mask: expected scans that differ")
    whole = differ
    if inside is not None:
        whole = np.zeros_like(inside)
        whole[inside] = differ
    return stacked[:, differ].astype(np.float64), whole


def standardised(
    covariates: Mapping[str, ArrayLike], scans: int
) -> tuple[Regressors, dict[str, tuple[float, float]]]:
    """Return covariates of mean 0 and variance 1, and the mean and deviation that they had.

    Raises
    ------
    SamplerError
        If one is not a finite number for each scan, or is always the same.
    """
    columns, known = np.zeros((scans, len(covariates))), {}
    for column, (name, given) in zip(columns.T, covariates.items(), strict=True):
        values = np.asarray(given, dtype=np.float64)
        if values.shape != (scans,) or not np.isfinite(values).all() or not values.std():
            raise SamplerError(
                f"covariate {name!r}: expected {scans} finite numbers that differ, one for each "
                "volume"
            )
        known[name] = (float(values.mean()), float(values.std()))
        column[:] = (values - values.mean()) / values.std()
    return columns, known
