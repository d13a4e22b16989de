"""Moments: mean and covariance of rows that come some at a time."""

import math

import numpy as np

from preddiff.samplers.gaussian.axes import PatchCovariance, Patches, PatchMean


class Moments:
    """Running sums for the mean and the covariance of patches of one shape.

    Attributes
    ----------
    shape : (channel, *patch) of a patch.
    size : number of values in a patch.
    count : patches so far.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.size = size = math.prod(shape)
        self.count = 0
        self._origin = np.zeros(size)
        self._total = np.zeros(size)
        self._products = np.zeros((size, size))

    def add(self, rows: Patches) -> None:
        """Take some more patches into account."""
        # The covariance is mean(y·yᵀ) - mean(y)·mean(y)ᵀ, which loses digits where the mean is much
        # larger than the spread (scans: 1000 ± 30). It is the same for y = x - origin, whatever the
        # origin; the first patch is near enough to the mean.
        if self.count == 0:
            self._origin = rows[0].copy()
        rows = rows - self._origin
        self.count += len(rows)
        self._total += rows.sum(axis=0)
        self._products += rows.T @ rows

    def result(self) -> tuple[PatchMean, PatchCovariance]:
        """Return the mean and the unbiased covariance of all patches so far."""
        mean = self._total / self.count
        covariance = (self._products - self.count * np.outer(mean, mean)) / max(1, self.count - 1)
        return self._origin + mean, covariance
