"""What all of a scan but a box says of the factors.

Given the voxels outside a box, the factors are normal, with

    precision  1 + Σ_outside λ·λᵀ / s,    precision · mean = Σ_outside λ · (x − mean) / s,

λ the loadings of a voxel and s the variance of its noise, times the number of voxels that say the
same (`Noise.repeats`). Both sums are those over all voxels less those over the box.

Axis names: r factor, v voxel.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from scipy import linalg

from preddiff.method.windows import Windows
from preddiff.samplers.brain.axes import Loadings, PerVoxel
from preddiff.types import Corners, Floats, Integers, Mask

VoxelNumbers = Annotated[Integers, "_some"]
"""Numbers of some voxels of a mask."""

Law = tuple[Annotated[Floats, "r r"], Annotated[Floats, "r"]]
"""Of a normal over the factors: its precision, and precision · mean."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Loadings on a grid, and how far a box reaches beyond its window.

    Attributes
    ----------
    mask : (*spatial), true at the voxels of the loadings.
    scaled : (r, v), loadings over the standard deviation that counts noise once.
    guard : voxels along each axis that are left out around a window.
    """

    mask: Mask
    scaled: Loadings
    guard: tuple[int, ...]

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

    def without(
        self, left_out: VoxelNumbers, values: PerVoxel, weighted: Annotated[Floats, "r"]
    ) -> Law:
        """Return precision, and precision · mean, given all voxels but those left out.

        Parameters
        ----------
        values : (v,), of a scan less the mean, over the same deviation as the loadings.
        weighted : (r,), scaled · values.
        """
        box = self.scaled[:, left_out]
        return self.precision - box @ box.T, weighted - box @ values[left_out]

    def boxes(self, windows: Windows) -> tuple[Corners, Corners]:
        """Return where the boxes around windows begin and end (window, dimension)."""
        guard, size = np.array(self.guard), np.array(windows.size)
        first = np.maximum(windows.starts - guard, 0)
        return first, np.minimum(windows.starts + size + guard, np.array(windows.shape))


def posterior(
    precision: Annotated[Floats, "r r"], weighted: Annotated[Floats, "r"]
) -> tuple[Annotated[Floats, "r"], Annotated[Floats, "r r"]]:
    """Return the mean of the factors, and a root of their covariance, root · rootᵀ."""
    # With the precision L · Lᵀ the covariance is L⁻ᵀ · L⁻¹.
    lower = linalg.cholesky(precision, lower=True)
    mean = linalg.cho_solve((lower, True), weighted)
    inverse = linalg.solve_triangular(lower, np.eye(len(lower)), lower=True)
    return mean, np.asarray(inverse.T)
