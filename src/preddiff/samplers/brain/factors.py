"""Factor analysis of scans, which have many more voxels than there are scans.

A scan is modelled as (Bishop, "Pattern Recognition and Machine Learning", 2006, section 12.2.4)

    x = mean + Σ_k loading_k · factor_k + noise,    factors N(0, 1), noise N(0, a voxel's variance)

Covariates such as age are factors whose values are known in the cohort. In a scan whose age is not
known, it is inferred from the scan, as the other factors are.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy import linalg

from preddiff.errors import SamplerError
from preddiff.samplers.brain.axes import Loadings, PerVoxel, Regressors, Scans
from preddiff.types import Floats

_STEPS = 30
_ENOUGH = 1e-3  # by which the variances change in a step, relative to themselves
_LEAST_VARIANCE = 0.01  # of a voxel's noise, as a share of their median


@dataclass(frozen=True, eq=False)
class Factors:
    """A normal over the voxels of a mask.

    Attributes
    ----------
    mean : (v,).
    loadings : (r, v): those of covariates first.
    variance : (v,), of the noise.
    """

    mean: PerVoxel
    loadings: Loadings
    variance: PerVoxel

    @classmethod
    def fit(cls, scans: Scans, covariates: Regressors, number: int) -> "Factors":
        """Estimate mean, loadings and variances.

        Parameters
        ----------
        scans : (n, v).
        covariates : (n, covariate), standardised; of length 0 along the second axis for none.
        number : of factors besides the covariates.

        Raises
        ------
        SamplerError
            If there are too few scans for so many.
        """
        free = len(scans) - 1 - covariates.shape[1]
        if not 0 <= number <= free - 1:
            raise SamplerError(
                f"factors={number}: expected 0 to {max(free - 1, 0)} for {len(scans)} scans and "
                f"{covariates.shape[1]} covariates"
            )
        mean = scans.mean(axis=0)
        explained = linalg.lstsq(covariates, scans - mean)[0] if covariates.size else None
        rest = scans - mean if explained is None else scans - mean - covariates @ explained
        own, variance = _analysed(rest, number, free)
        loadings = own if explained is None else np.concatenate([explained, own])
        return cls(mean, np.asarray(loadings), variance)

    def residuals(self, scans: Scans) -> Scans:
        """Return what is left of scans without mean and factors, in standard deviations of noise.

        Factors are had by regression on all voxels, as many of which there are.
        """
        scaled = self.loadings / np.sqrt(self.variance)
        values = (scans - self.mean) / np.sqrt(self.variance)
        precision = np.eye(len(scaled)) + scaled @ scaled.T
        factors = linalg.solve(precision, scaled @ values.T, assume_a="pos")
        return np.asarray(values - factors.T @ scaled)


def _analysed(rest: Scans, number: int, free: int) -> tuple[Loadings, PerVoxel]:
    """Loadings and variances of scans without mean and covariates."""
    # Maximum likelihood alternates between the principal axes of scans whose noise has variance 1
    # in every voxel, and the variance that the axes leave over, which is how scikit-learn's
    # FactorAnalysis does it. Here the axes come from the products of scans, (n, n), which are a
    # thousandth of the work where voxels are many; and, as scans are few, two things are corrected
    # for what they would else make too large:
    # - an axis' strength is its eigenvalue less the mean of those left over, which is what noise
    #   alone has in that many dimensions (Johnstone's spiked model);
    # - the variance is over the degrees of freedom that the axes leave.
    squares = (rest**2).sum(axis=0)
    variance = _floored(squares / free)
    loadings = np.zeros((number, rest.shape[1]))
    for _ in range(_STEPS if number else 0):
        deviation = np.sqrt(variance)
        scaled = rest / deviation
        values, vectors = linalg.eigh(scaled @ scaled.T / free)
        left_over = values[:-number].sum() / (free - number)
        axes = vectors[:, ::-1][:, :number].T @ scaled  # of squared length free · eigenvalue
        strengths = np.maximum(values[::-1][:number] - left_over, 0)
        shares = strengths / np.maximum(values[::-1][:number], np.finfo(float).tiny)
        loadings = axes * np.sqrt(shares / free)[:, None] * deviation
        before = variance
        variance = _floored((squares - (axes**2).sum(axis=0) * before) / (free - number))
        if np.abs(np.log(variance / before)).mean() < _ENOUGH:
            break
    return loadings, variance


def _floored(variance: Annotated[Floats, "v"]) -> PerVoxel:
    """Variances of at least a share of the usual one: a voxel that hardly varies is not certain."""
    return np.maximum(variance, _LEAST_VARIANCE * np.median(variance))
