"""Weighted sums over every window of a scan, each given all of it but a box: without draws.

A running sum over the planes that the boxes of one plane of windows reach, and others within it,
make each voxel's products twice, whatever the size of a box, and hold a few planes. What cancels is
as large as the sums over a plane's neighbours, 1e-16 of which is left behind.
"""

import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np

from preddiff.method.windows import Windows
from preddiff.samplers.base import Normals
from preddiff.samplers.brain import loops
from preddiff.samplers.brain.axes import PerScan
from preddiff.samplers.brain.evidence import Evidence
from preddiff.samplers.brain.noise import Noise
from preddiff.types import Floats, WindowNumbers


class Projection:
    """A scan's rows on its grid, as the compiled loops take them.

    Parameters
    ----------
    evidence : the loadings.
    noise : how the noise of neighbours is correlated.
    values : (v, 1), of the scan less the mean, over the deviation that counts noise once.
    weights : (k, v), times that deviation.
    """

    def __init__(
        self,
        evidence: Evidence,
        noise: Noise,
        values: PerScan,
        weights: Annotated[Floats, "k v"],
    ) -> None:
        self.noise, self.missing = noise, 3 - evidence.mask.ndim
        # Of the boxes that are left out, and of those beyond which all is.
        margins = [margin for margin in (evidence.guard, evidence.reach) if margin]
        self.margins = np.array([(0,) * self.missing + margin for margin in margins])
        volume = evidence.mask.reshape((1,) * self.missing + evidence.mask.shape)
        depth, height, width = volume.shape
        # All rows of a line of voxels together.
        self.rows: Floats = np.zeros((depth, height, len(evidence.scaled) + 1, width))
        of_rows = np.moveaxis(self.rows, 2, 0)
        for row, each in zip(of_rows, (*evidence.scaled, values[:, 0]), strict=True):
            row[volume] = each
        self.weights: Floats = np.zeros((len(weights), *volume.shape))
        self.weights[:, volume] = weights
        lower = np.tril_indices(len(evidence.scaled))
        given, weighted = evidence.precision, evidence.scaled @ values[:, 0]
        if evidence.reach is not None:
            given, weighted = np.eye(len(given)), np.zeros(len(given))
        self.always = np.concatenate([given[lower], weighted])

    def normals(self, windows: Windows) -> Normals:
        """Return mean and covariance (k, n), (k, k, n) of weighted sums over windows."""
        mean = np.empty((len(self.weights), len(windows)))
        covariance = np.empty((len(self.weights), *mean.shape))
        starts = np.pad(windows.starts, ((0, 0), (self.missing, 0)))
        size = np.array((1,) * self.missing + windows.size)
        deep, down, along = [np.ones((1, 1))] * self.missing + self.noise.roots(windows.size)
        # Independent noise, whose deviation the weights have times that of noise counted once.
        own, together = (
            share / self.noise.repeats for share in (1 - self.noise.share, self.noise.share)
        )
        for which, totals in self._planes(starts, size):
            across = np.ascontiguousarray(starts[which, 1:])
            slab = slice(starts[which[0], 0], starts[which[0], 0] + size[0])
            weights = self.weights[:, slab]
            sums = np.einsum("kzyx,zyrx->kyrx", weights, self.rows[slab])
            some = np.empty((len(weights), len(which)))
            spread = np.empty((len(weights), *some.shape))
            loops.project_lines(
                totals, self.always, sums, across, size[1:], self.margins[:, 1:], some, spread
            )
            smooth = math.sqrt(together) * np.tensordot(weights, deep, (1, 0))
            squares = own * np.einsum("kzyx,lzyx->klyx", weights, weights)
            smooth = np.ascontiguousarray(np.moveaxis(smooth, -1, 1))
            loops.add_noise(smooth, squares, across, down, along, spread)
            mean[:, which], covariance[:, :, which] = some, spread
        return mean, covariance

    def _planes(
        self, starts: Annotated[WindowNumbers, "n three"], size: Annotated[WindowNumbers, "three"]
    ) -> Iterator[tuple[WindowNumbers, Annotated[Floats, "margin y pair x"]]]:
        """Yield the windows of each plane, and the products summed over what their boxes reach."""
        depth, height, _, width = self.rows.shape
        totals: Floats = np.zeros((len(self.margins), height, len(self.always), width))
        order = np.lexsort(starts.T[::-1])
        ends = np.flatnonzero(np.diff(starts[order, 0])) + 1
        known = [(0, 0)] * len(totals)
        for which in np.split(order, ends):
            plane = int(starts[which[0], 0])
            for n, (total, margin) in enumerate(zip(totals, self.margins[:, 0], strict=True)):
                first, last = known[n]
                begin, end = max(plane - int(margin), 0), min(plane + int(size[0] + margin), depth)
                if begin >= last:
                    total[:] = 0
                    first = last = begin
                loops.add_products(total, self.rows[last:end], 1.0)
                loops.add_products(total, self.rows[first:begin], -1.0)
                known[n] = begin, end
            yield which, totals
