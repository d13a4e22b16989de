"""The number of factors: as many as foretell windows of held-out scans best."""

import numpy as np

from preddiff.method.windows import Windows
from preddiff.samplers.brain.axes import Regressors, Scans
from preddiff.samplers.brain.factors import Factors
from preddiff.samplers.brain.noise import Noise
from preddiff.samplers.brain.normal import BrainNormal
from preddiff.types import Mask

CANDIDATES = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40)
"""Numbers of factors that are tried, where there are at least three scans for each factor."""

_SCANS_PER_FACTOR = 3
_SCANS_FOR_NOISE = 10  # whose residuals say how far noise is correlated: each has many voxels
_ENOUGH_WORSE = 0.05  # bits per value below the best: more factors are not tried

_HELD_OUT = 5  # every fifth scan
_WINDOWS, _WINDOW = 60, 3  # in each of the scans that are held out


def best(
    scans: Scans,
    covariates: Regressors,
    mask: Mask,
    spacing: tuple[float, ...],
    guard: float,
    seed: int,
) -> int:
    """Return the number of factors under which windows of held-out scans are likeliest.

    The likelihood is that of windows of 3 voxels given all of their scan beyond the guard zone,
    which is what the sampler is for.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(scans))
    held, kept = order[::_HELD_OUT], np.delete(order, np.s_[::_HELD_OUT])
    centres = random.choice(np.argwhere(mask), _WINDOWS)
    size = tuple(min(_WINDOW, n) for n in mask.shape)
    starts = np.clip(centres - np.array(size) // 2, 0, np.array(mask.shape) - size)
    windows = Windows(mask.shape, size, starts)
    most = (len(kept) - covariates.shape[1]) // _SCANS_PER_FACTOR
    found: dict[int, float] = {}
    for number in (each for each in CANDIDATES if each <= most):
        normal = fitted(scans[kept], covariates[kept], mask, spacing, guard, number)
        bits = 0.0
        for values in scans[held]:
            scan = np.zeros(mask.shape, dtype=np.float32)
            scan[mask] = values
            bits += normal.log2_density(scan, windows)
        found[number] = bits
        if bits < max(found.values()) - len(held) * _ENOUGH_WORSE:
            break
    return max(found, key=lambda each: found[each])


def fitted(
    scans: Scans,
    covariates: Regressors,
    mask: Mask,
    spacing: tuple[float, ...],
    guard: float,
    number: int,
) -> BrainNormal:
    """Return the normal of so many factors."""
    factors = Factors.fit(scans, covariates, number)
    residuals = factors.residuals(scans[:_SCANS_FOR_NOISE])
    noise = Noise.estimate(residuals, mask, spacing, guard)
    return BrainNormal(mask, factors, noise, spacing, guard)
