"""The multivariate normal of a window given the rest of its patch.

Axis names: n window, w value in the window, r value in the rest of the patch.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np

from preddiff.errors import SamplerError
from preddiff.samplers.gaussian.axes import (
    PatchCovariance,
    Patches,
    PatchIndices,
    PatchMean,
    RestIndices,
)
from preddiff.samplers.gaussian.covariance import solve, square_root
from preddiff.types import Floats

# Let a patch be N(μ, Σ), and its values those of the window, w, and of the rest, r. Given r, the
# window is normal again (Bishop, "Pattern Recognition and Machine Learning", 2006, section 2.3.1):
#
#     mean        μ_w + G·(r - μ_r),  G = Σ_wr·Σ_rr⁻¹      the gain: linear regression of w on r
#     covariance  Σ_ww - G·Σ_rw                            the Schur complement of Σ_rr in Σ
#
# Neither the gain nor the covariance depends on what the rest is. So they are computed once for
# each offset of the window in its patch, of which there are few (one away from the border), and a
# draw costs two products with small matrices: G·(r - μ_r), and the factor times normal noise.
#
# In terms of the precision Λ = Σ⁻¹ the same is (equations 2.73 and 2.75 there)
#
#     covariance  Λ_ww⁻¹,     G = -Λ_ww⁻¹·Λ_wr
#
# which needs the inverse of a matrix as small as the window instead of one as large as the rest:
# with Λ at hand, every further offset is cheap.


@dataclass(frozen=True, eq=False)
class ConditionalNormal:
    """The normal of a window's values given the rest of its patch, for one offset in the patch.

    Attributes
    ----------
    window, rest : where the values stand in the flattened patch, (w,) and (r,).
    mean_window, mean_rest : their means.
    gain : (w, r), how the mean of the window follows the rest.
    covariance : (w, w), the same whatever the rest is.
    factor : (w, w), factor · factorᵀ = covariance.
    """

    window: PatchIndices
    rest: RestIndices
    mean_window: Annotated[Floats, "w"]
    mean_rest: Annotated[Floats, "r"]
    gain: Annotated[Floats, "w r"]
    covariance: Annotated[Floats, "w w"]
    factor: Annotated[Floats, "w w"]

    def mean(self, patches: Patches) -> Annotated[Floats, "n w"]:
        """Return the conditional mean (n, w), given whole patches (n, w + r)."""
        return self.mean_window + (patches[:, self.rest] - self.mean_rest) @ self.gain.T

    def distance(self, patches: Patches) -> tuple[Annotated[Floats, "n"], float]:
        """Return how far windows are from their conditional means, and the volume of the normal.

        The first is the squared Mahalanobis distance, the second ln √|covariance|.
        """
        deviation = patches[:, self.window] - self.mean(patches)
        square = np.einsum("nw,wn->n", deviation, solve(self.covariance, deviation.T))
        return square, self.log_volume

    @cached_property
    def log_volume(self) -> float:
        """The logarithm of the square root of the covariance's determinant."""
        return float(np.linalg.slogdet(self.covariance)[1] / 2)

    @property
    def change(self) -> tuple[Annotated[Floats, "w p"], Annotated[Floats, "w"]]:
        """Matrix A (w, w + r) and constant b (w,): conditional mean - window = A · patch + b.

        So whole patches can be multiplied, without telling window and rest apart first.
        """
        matrix = np.zeros((len(self.window), len(self.window) + len(self.rest)))
        matrix[:, self.rest] = self.gain
        matrix[np.arange(len(self.window)), self.window] = -1
        return matrix, self.mean_window - self.gain @ self.mean_rest


def by_covariance(
    mean: PatchMean, covariance: PatchCovariance, window: PatchIndices, rest: RestIndices
) -> ConditionalNormal:
    """Return N(mean, covariance) of the values at `window`, given those at `rest`.

    Slower than `by_precision`, but right for singular covariances as well.
    """
    across = covariance[np.ix_(rest, window)]
    gain = solve(covariance[np.ix_(rest, rest)], across).T
    remaining = covariance[np.ix_(window, window)] - gain @ across
    remaining = (remaining + remaining.T) / 2  # rounding leaves it a little asymmetric
    return ConditionalNormal(
        window, rest, mean[window], mean[rest], gain, remaining, square_root(remaining)
    )


def by_precision(
    mean: PatchMean, rows: Annotated[Floats, "w p"], window: PatchIndices, rest: RestIndices
) -> ConditionalNormal:
    """Return the same from the rows of the inverse covariance that belong to the window.

    Parameters
    ----------
    rows : (w, w + r), Λ_w.

    Raises
    ------
    SamplerError
        If the window's part of it has no inverse.
    """
    try:
        own = np.linalg.inv(rows[:, window])
    except np.linalg.LinAlgError:
        raise SamplerError(
            "the sampler's normal has no spread in some direction: the precision of a window's "
            "values is singular; fit it anew"
        ) from None
    own = (own + own.T) / 2
    gain = -own @ rows[:, rest]
    return ConditionalNormal(window, rest, mean[window], mean[rest], gain, own, square_root(own))
