"""What all of a scan but a box says of the factors.

Given the voxels outside a box, the factors are normal, with

    precision  1 + Σ_outside λ·λᵀ / s,    precision · mean = Σ_outside λ · (x − mean) / s,

λ the loadings of a voxel and s the variance of its noise, times the number of voxels that say the
same (`Noise.repeats`). Both sums are those over all voxels less those over the box. What is
far away may be left out as well: then they are those over a larger box less those over the box, and
factors are what they are nearby, as in local ensemble Kalman filters (Hunt, Kostelich and Szunyogh,
Physica D 230, 2007).

Axis names: r factor, v voxel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from scipy import linalg

from preddiff.samplers.brain.axes import Loadings, PerScan
from preddiff.types import Floats, Integers, Mask

VoxelNumbers = Annotated[Integers, "_some"]
"""Numbers of some voxels of a mask."""

Law = tuple[Annotated[Floats, "r r"], Annotated[Floats, "r n"]]
"""Of a normal over the factors: its precision, and precision · mean for each scan."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Loadings on a grid, and how far a box reaches beyond its window.

    Attributes
    ----------
    mask : (*spatial), true at the voxels of the loadings.
    scaled : (r, v), loadings over the standard deviation that counts noise once.
    guard : voxels along each axis that are left out around a window.
    reach : voxels along each axis beyond which all is left out; None for none.
    """

    mask: Mask
    scaled: Loadings
    guard: tuple[int, ...]
    reach: tuple[int, ...] | None = None

    @cached_property
    def precision(self) -> Annotated[Floats, "r r"]:
        """Precision of the factors given a whole scan."""
        return np.asarray(np.eye(len(self.scaled)) + self.scaled @ self.scaled.T)

    @cached_property
    def numbers(self) -> Annotated[Integers, "*spatial"]:
        """Number of each voxel of the mask, and -1 elsewhere."""
        numbers = np.full(self.mask.shape, -1)
        numbers[self.mask] = np.arange(self.scaled.shape[1])
        return numbers

    def law(
        self,
        left_out: VoxelNumbers,
        near: VoxelNumbers | None,
        values: PerScan,
        weighted: Annotated[Floats, "r n"],
    ) -> Law:
        """Return precision, and precision · mean, given all voxels nearby but those left out.

        Parameters
        ----------
        near : None for all.
        values : (v, n), of scans less the mean, over the same deviation as the loadings.
        weighted : (r, n), scaled · values.
        """
        precision, box = self.precision, self.scaled[:, left_out]
        if near is not None:
            around = self.scaled[:, near]
            precision = np.eye(len(self.scaled)) + around @ around.T
            weighted = around @ values[near]
        return precision - box @ box.T, weighted - box @ values[left_out]

    def around(
        self, start: Annotated[Integers, "dimension"], size: Sequence[int], margin: Sequence[int]
    ) -> VoxelNumbers:
        """Return the voxels of the mask in a box and in a margin around it."""
        edges = zip(start, size, margin, strict=True)
        numbers = self.numbers[tuple(slice(max(a - m, 0), a + n + m) for a, n, m in edges)]
        return np.asarray(numbers[numbers >= 0])


def posterior(
    precision: Annotated[Floats, "r r"], weighted: Annotated[Floats, "r n"]
) -> tuple[Annotated[Floats, "r n"], Annotated[Floats, "r r"]]:
    """Return the means of the factors, and a root of their covariance, root · rootᵀ."""
    if not len(precision):  # no factors, which older versions of SciPy cannot solve for
        return weighted, precision
    # With the precision L · Lᵀ the covariance is L⁻ᵀ · L⁻¹.
    lower = linalg.cholesky(precision, lower=True)
    mean = linalg.cho_solve((lower, True), weighted)
    inverse = linalg.solve_triangular(lower, np.eye(len(lower)), lower=True)
    return mean, np.asarray(inverse.T)
