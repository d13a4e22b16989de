"""Noise that is correlated over a few mm: how much of it, and how far."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.types import Floats, Mask

_LENGTHS = 60  # that are tried
_LARGEST_SHARE = 0.98  # noise that is all correlated would leave some windows no spread

AxisRoot = Annotated[Floats, "voxel source"]
"""A root of the correlations along one axis: root · rootᵀ has an entry for each two voxels."""


@dataclass(frozen=True)
class Noise:
    """Correlations of the noise of two voxels: share · exp(−(d / 2·length)²), and 1 of itself.

    Attributes
    ----------
    share : of the variance that is correlated, below 1.
    lengths : along each axis, in voxels.
    """

    share: float
    lengths: tuple[float, ...]

    @classmethod
    def estimate(
        cls,
        residuals: Annotated[Floats, "n v"],
        mask: Mask,
        spacing: Sequence[float],
        reach: float,
    ) -> "Noise":
        """Fit share and length to the correlations along the axes, by least squares.

        Parameters
        ----------
        residuals : (n, v), of mean 0 and variance 1.
        spacing : of voxels along each axis, in mm.
        reach : mm up to which correlations count.
        """
        pairs = list(_correlations(residuals, mask, spacing, reach))
        if not pairs:
            return cls(0.0, tuple(1.0 for _ in spacing))
        distances, found = np.array(pairs).T
        lengths = np.geomspace(min(spacing) / 4, max(reach / 2, min(spacing)), _LENGTHS)
        best, share, least = 1.0, 0.0, np.inf
        for length in lengths:
            bell = np.exp(-((distances / (2 * length)) ** 2))
            fitted = float(np.clip((bell @ found) / (bell @ bell), 0, _LARGEST_SHARE))
            miss = float(((found - fitted * bell) ** 2).sum())
            if miss < least:
                best, share, least = float(length), fitted, miss
        return cls(share, tuple(best / step for step in spacing))

    @cached_property
    def repeats(self) -> float:
        """Number of voxels that say the same of something smooth: a row of correlations, summed."""
        # The mean of noise over a large region has this times the variance that it would have if
        # voxels were independent. (The sum over whole voxels of exp(−(d/2L)²).)
        sums = (
            np.exp(-((np.arange(-math.ceil(20 * n), math.ceil(20 * n) + 1) / (2 * n)) ** 2)).sum()
            for n in self.lengths
        )
        return 1 - self.share + self.share * math.prod(float(each) for each in sums)

    def roots(self, size: Sequence[int]) -> list[AxisRoot]:
        """Return the roots for a box: the correlations along its axes multiply."""
        return [_root(n, length) for n, length in zip(size, self.lengths, strict=True)]

    def coloured(
        self, independent: Annotated[Floats, "n two *size"], roots: Sequence[AxisRoot]
    ) -> Annotated[Floats, "n *size"]:
        """Return noise with these correlations from independent noise, two numbers a voxel."""
        smooth = independent[:, 0]
        for root in roots:
            smooth = np.tensordot(smooth, root, axes=(1, 1))  # the axis comes last: in turn, all do
        return np.asarray(
            math.sqrt(self.share) * smooth + math.sqrt(1 - self.share) * independent[:, 1]
        )


def _root(n: int, length: float) -> AxisRoot:
    at = np.arange(n)
    correlation = np.exp(-(((at[:, None] - at) / (2 * length)) ** 2))
    values, vectors = np.linalg.eigh(correlation)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def _correlations(
    residuals: Annotated[Floats, "n v"], mask: Mask, spacing: Sequence[float], reach: float
) -> Iterator[tuple[float, float]]:
    """Distances in mm, and the mean product of two voxels that far apart along an axis."""
    volumes: NDArray[np.float64] = np.zeros((len(residuals), *mask.shape))
    volumes[:, mask] = residuals / residuals.std()
    for axis, step in enumerate(spacing):
        n = mask.shape[axis]
        for lag in range(1, min(n - 1, int(reach / step)) + 1):
            one = (slice(None),) * axis + (slice(0, n - lag),)
            other = (slice(None),) * axis + (slice(lag, n),)
            both = int((mask[one] & mask[other]).sum())
            if both:
                product = np.vdot(volumes[:, *one], volumes[:, *other])
                yield lag * step, float(product) / (len(residuals) * both)
