"""The number of factors and how far they reach: what foretells windows of held-out scans best."""

import math
from dataclasses import replace

import numpy as np

from preddiff.method.windows import Windows
from preddiff.samplers.brain.axes import Regressors, Scans
from preddiff.samplers.brain.factors import Factors
from preddiff.samplers.brain.noise import Noise
from preddiff.samplers.brain.normal import BrainNormal
from preddiff.types import Mask

CANDIDATES = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 60, 80)
"""Numbers of factors that are tried: of all of the brain, where there are three scans for each."""

SHELLS = (math.inf, 16.0, 8.0)
"""Millimetres beyond the guard zone that are tried: all of the brain, or what is near a window."""

_SCANS_PER_FACTOR = 3
_SCANS_FOR_NOISE = 10  # whose residuals say how far noise is correlated: each has many voxels
# More factors are not tried after two numbers that are worse than the best by so many bits per
# value. The first factors may be worse than none, as two that are equally strong need each other.
_ENOUGH_WORSE, _WORSE_TWICE = 0.05, 2

_HELD_OUT = 5  # every fifth scan
_WINDOWS, _WINDOW = 60, 3  # in each of the scans that are held out


def best(
    scans: Scans,
    covariates: Regressors,
    mask: Mask,
    spacing: tuple[float, ...],
    guard: float,
    reach: float | None,
    seed: int,
) -> tuple[int, float]:
    """Return the number of factors, and the reach, that make windows of held-out scans likeliest.

    The likelihood is that of windows of 3 voxels given what their scan has beyond the guard zone,
    which is what the sampler is for.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(scans))
    held, kept = order[::_HELD_OUT], np.delete(order, np.s_[::_HELD_OUT])
    centres = random.choice(np.argwhere(mask), _WINDOWS)
    size = tuple(min(_WINDOW, n) for n in mask.shape)
    starts = np.clip(centres - np.array(size) // 2, 0, np.array(mask.shape) - size)
    windows = Windows(mask.shape, size, starts)
    free = len(kept) - covariates.shape[1]
    found: dict[tuple[int, float], float] = {}
    best_so_far: dict[float, float] = {}
    worse = dict.fromkeys([guard + shell for shell in SHELLS] if reach is None else [reach], 0)
    for number in (each for each in CANDIDATES if each <= max(free - 2, free // _SCANS_PER_FACTOR)):
        normal = fitted(scans[kept], covariates[kept], mask, spacing, guard, math.inf, number)
        for each in worse:
            # What is near a window leaves many factors no more freedom than the whole brain few.
            too_many = math.isinf(each) and number > free // _SCANS_PER_FACTOR
            if too_many or worse[each] >= _WORSE_TWICE:
                continue
            bits = replace(normal, reach=each).log2_density(scans[held], windows)
            found[number, each] = bits
            best_so_far[each] = max(best_so_far.get(each, -math.inf), bits)
            worse[each] = worse[each] + 1 if bits < best_so_far[each] - _ENOUGH_WORSE else 0
    return max(found, key=lambda one: found[one])


def fitted(
    scans: Scans,
    covariates: Regressors,
    mask: Mask,
    spacing: tuple[float, ...],
    guard: float,
    reach: float,
    number: int,
) -> BrainNormal:
    """Return the normal of so many factors."""
    factors = Factors.fit(scans, covariates, number)
    residuals = factors.residuals(scans[:_SCANS_FOR_NOISE])
    noise = Noise.estimate(residuals, mask, spacing, guard)
    return BrainNormal(mask, factors, noise, spacing, guard, reach)
