"""A normal over the voxels of a mask: what a window holds given all beyond its guard zone."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, ndimage

from preddiff.method.windows import Windows, box
from preddiff.samplers.base import Normals
from preddiff.samplers.brain.axes import PerVoxel
from preddiff.samplers.brain.evidence import Evidence, Law, forward_solved, posterior
from preddiff.samplers.brain.factors import Factors
from preddiff.samplers.brain.noise import AxisRoot, Noise
from preddiff.samplers.gaussian.surrounded import antithetic
from preddiff.types import Floats, Mask

_VALUES_AT_ONCE = 1 << 22  # of windows, whose noise is added up

Volume = Annotated[NDArray[np.float32], "*spatial"]
"""A scan without its channel."""


@dataclass(frozen=True, eq=False)
class BrainNormal:
    """Few factors that all of the brain shares, and noise that neighbours share.

    Attributes
    ----------
    mask : (*spatial), the voxels that are modelled.
    factors : mean, loadings and variances of these voxels.
    noise : how the noise of neighbours is correlated.
    spacing : of voxels along each axis, in mm.
    guard : mm around a window that are not conditioned on.
    """

    mask: Mask
    factors: Factors
    noise: Noise
    spacing: tuple[float, ...]
    guard: float

    @cached_property
    def evidence(self) -> Evidence:
        """Evidence on the factors from all of a scan but a box."""
        guard = tuple(math.ceil(self.guard / step - 1e-6) for step in self.spacing)
        return Evidence(self.mask, self.factors.loadings / self.counted_once, guard)

    @cached_property
    def counted_once(self) -> PerVoxel:
        """The standard deviation that a voxel's noise has where factors are inferred."""
        return np.sqrt(self.factors.variance * self.noise.repeats)

    @cached_property
    def roots_of_all(self) -> list[AxisRoot]:
        """Roots of the correlations over the whole grid."""
        return self.noise.roots(self.mask.shape)

    def laws(self, values: PerVoxel, windows: Windows) -> Iterator[tuple[Law, tuple[slice, ...]]]:
        """Yield what is known of the factors given all beyond each window's guard zone."""
        weighted = self.evidence.scaled @ values
        first, last = self.evidence.boxes(windows)
        for start, begin, end in zip(windows.starts, first, last, strict=True):
            guarded = self.evidence.numbers[box(begin, end - begin)]
            law = self.evidence.without(guarded[guarded >= 0], values, weighted)
            yield law, box(start, windows.size)

    def scaled(self, scan: Volume) -> PerVoxel:
        """Return a scan less the mean, in deviations that count noise once."""
        return np.asarray((scan[self.mask] - self.factors.mean) / self.counted_once)

    def law(self, values: PerVoxel, hidden: Mask) -> Law:
        """Return what is known of the factors given all beyond the guard zone of what is hidden."""
        reach = tuple(2 * n + 1 for n in self.evidence.guard)
        guarded = self.evidence.numbers[ndimage.maximum_filter(hidden, reach)]
        return self.evidence.without(guarded[guarded >= 0], values, self.evidence.scaled @ values)

    def drawn(
        self,
        scan: Volume,
        within: tuple[slice, ...],
        law: Law,
        roots: Sequence[AxisRoot],
        samples: int,
        random: np.random.Generator,
        *,
        pairs: bool,
    ) -> Annotated[Floats, "draw *size"]:
        """Draws of a box, given what the rest says of the factors."""
        mean, root = posterior(*law)
        numbers = self.evidence.numbers[within]
        # One row of numbers for each draw: the first ones are the same however many are asked for.
        rows = -(-samples // 2) if pairs else samples
        noise = random.standard_normal((rows, len(mean) + 2 * numbers.size))
        if pairs:
            noise = antithetic(noise, samples)
        factors = mean + noise[:, : len(mean)] @ root.T
        own = self.noise.coloured(noise[:, len(mean) :].reshape(-1, 2, *numbers.shape), roots)
        drawn = np.repeat(scan[within][None].astype(np.float64), samples, axis=0)
        inside = numbers >= 0
        which = numbers[inside]
        deviation = np.sqrt(self.factors.variance[which])
        drawn[:, inside] = (
            self.factors.mean[which]
            + factors @ self.factors.loadings[:, which]
            + deviation * own[:, inside]
        )
        return drawn

    def log2_density(self, scan: Volume, windows: Windows) -> float:
        """Return the log2 density of a scan's windows given all beyond them, in bits per value."""
        values, roots = self.scaled(scan), self.noise.roots(windows.size)
        correlation: Floats = np.eye(1)
        for root in roots:
            correlation = np.asarray(np.kron(correlation, root @ root.T), np.float64)
        correlation *= self.noise.share
        np.fill_diagonal(correlation, 1)
        bits = held = 0.0
        for law, within in self.laws(values, windows):
            mean, root = posterior(*law)
            numbers = self.evidence.numbers[within].ravel()
            inside = numbers >= 0
            which = numbers[inside]
            loadings = self.factors.loadings[:, which]
            deviation = np.sqrt(self.factors.variance[which])
            covariance = correlation[np.ix_(inside, inside)] * np.outer(deviation, deviation)
            covariance += loadings.T @ root @ root.T @ loadings
            lower = linalg.cholesky(covariance, lower=True)
            off = scan[within].ravel()[inside] - self.factors.mean[which] - mean @ loadings
            standard = linalg.solve_triangular(lower, off, lower=True)
            bits -= np.log2(np.diag(lower)).sum() + (
                (standard @ standard / math.log(2) + len(which) * math.log2(2 * math.pi)) / 2
            )
            held += len(which)
        return float(bits / held)

    def projected(
        self,
        weights: Annotated[Floats, "k *spatial"],
        scan: Volume,
        values: PerVoxel,
        windows: Windows,
    ) -> Normals:
        """Normals of weighted sums over windows, one plane of windows after the other."""
        mean = np.empty((len(weights), len(windows)))
        covariance = np.empty((len(weights), *mean.shape))
        roots, (depth, *across) = self.noise.roots(windows.size), windows.size
        for which, pairs, weighted in self.evidence.in_planes(values, windows):
            first = int(windows.starts[which[0], 0])
            slab = slice(first, first + depth)
            numbers = self.evidence.numbers[slab]
            inside = numbers >= 0
            voxels = numbers[inside]
            # What the factors, the mean and the noise of a voxel do to each sum.
            rows = np.zeros((len(self.factors.loadings) + 2, *numbers.shape))
            rows[:-2, inside] = self.factors.loadings[:, voxels]
            rows[-2, inside] = self.factors.mean[voxels] - scan[slab][inside]
            rows[-1, inside] = np.sqrt(self.factors.variance[voxels])
            starts = windows.starts[which].copy()
            starts[:, 0] = 0
            local = Windows(numbers.shape, windows.size, starts)
            sums = [local.sums(rows[:-1] * each[slab]) for each in weights]
            inferred, *solved = forward_solved(pairs, weighted, *(each[:-1] for each in sums))
            for k, one in enumerate(solved):
                mean[k, which] = sums[k][-1] + (one * inferred).sum(axis=0)
                for other, another in enumerate(solved):
                    covariance[k, other, which] = (one * another).sum(axis=0)
            several = max(1, _VALUES_AT_ONCE // (len(weights) * math.prod(windows.size)))
            view = np.lib.stride_tricks.sliding_window_view(
                weights[:, slab] * rows[-1], tuple(across), axis=tuple(range(2, 2 + len(across)))
            )
            for begin in range(0, len(which), several):
                some = slice(begin, begin + several)
                noise = np.moveaxis(view[:, :, *starts[some, 1:].T], 1, 2)
                covariance[:, :, which[some]] += self.noise.covariance(noise, roots)
        return mean, covariance
