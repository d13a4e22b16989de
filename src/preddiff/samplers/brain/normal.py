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
from preddiff.samplers.brain.axes import PerScan, PerVoxel, Scans
from preddiff.samplers.brain.evidence import Evidence, Law, VoxelNumbers, posterior
from preddiff.samplers.brain.factors import Factors
from preddiff.samplers.brain.noise import AxisRoot, Noise
from preddiff.samplers.brain.projection import Projection
from preddiff.samplers.gaussian.surrounded import antithetic
from preddiff.types import Floats, Mask

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
    reach : mm around a window beyond which nothing is conditioned on.
    """

    mask: Mask
    factors: Factors
    noise: Noise
    spacing: tuple[float, ...]
    guard: float
    reach: float = math.inf

    @cached_property
    def evidence(self) -> Evidence:
        """Evidence on the factors from all of a scan but a box."""
        guard = tuple(math.ceil(self.guard / step - 1e-6) for step in self.spacing)
        reach = None
        if math.isfinite(self.reach):  # no less than one voxel beyond the guard zone
            far = (math.floor(self.reach / step + 1e-6) for step in self.spacing)
            reach = tuple(max(n, g + 1) for n, g in zip(far, guard, strict=True))
        return Evidence(self.mask, self.factors.loadings / self.counted_once, guard, reach)

    @cached_property
    def counted_once(self) -> PerVoxel:
        """The standard deviation that a voxel's noise has where factors are inferred."""
        return np.sqrt(self.factors.variance * self.noise.repeats)

    @cached_property
    def roots_of_all(self) -> list[AxisRoot]:
        """Roots of the correlations over the whole grid."""
        return self.noise.roots(self.mask.shape)

    def laws(self, values: PerScan, windows: Windows) -> Iterator[tuple[Law, tuple[slice, ...]]]:
        """Yield what is known of the factors given what is beyond each window's guard zone."""
        seen, weighted = self.evidence, self.evidence.scaled @ values
        for start in windows.starts:
            guarded = seen.around(start, windows.size, seen.guard)
            near = None if seen.reach is None else seen.around(start, windows.size, seen.reach)
            yield seen.law(guarded, near, values, weighted), box(start, windows.size)

    def scaled(self, scan: Volume) -> PerScan:
        """Return a scan (v, 1) less the mean, in deviations that count noise once."""
        return self.standardised(scan[self.mask][None].astype(np.float64))

    def standardised(self, scans: Scans) -> PerScan:
        """Return values of scans less the mean, in deviations that count noise once."""
        return np.asarray(((scans - self.factors.mean) / self.counted_once).T)

    def law(self, values: PerScan, hidden: Mask) -> Law:
        """Return what is known of the factors given what is beyond the guard zone of the hidden."""
        seen = self.evidence

        def around(margin: tuple[int, ...]) -> VoxelNumbers:
            numbers = seen.numbers[ndimage.maximum_filter(hidden, [2 * n + 1 for n in margin])]
            return np.asarray(numbers[numbers >= 0])

        near = None if seen.reach is None else around(seen.reach)
        return seen.law(around(seen.guard), near, values, seen.scaled @ values)

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
        factors = mean[:, 0] + noise[:, : len(mean)] @ root.T
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

    def log2_density(self, scans: Scans, windows: Windows) -> float:
        """Return the log2 density of windows given what is beyond them, in bits per value."""
        values, roots = self.standardised(scans), self.noise.roots(windows.size)
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
            off = (scans[:, which] - self.factors.mean[which]).T - loadings.T @ mean
            standard = linalg.solve_triangular(lower, off, lower=True)
            constant = np.log2(np.diag(lower)).sum() + len(which) * math.log2(2 * math.pi) / 2
            bits -= len(scans) * constant + (standard**2).sum() / math.log(2) / 2
            held += len(scans) * len(which)
        return float(bits / held)

    def projection(self, weights: Annotated[Floats, "k *spatial"], values: PerScan) -> Projection:
        """Return what gives weighted sums over all windows of a scan, `scaled` to these values."""
        return Projection(
            self.evidence, self.noise, values, weights[:, self.mask] * self.counted_once
        )
