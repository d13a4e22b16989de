"""Ridge regression of the evidence of sets; penalty and errors follow from the sets themselves.

Slopes are shrunk by a penalty, or as a smooth map is known, whichever predicts sets that it has not
seen better (Wahba, Spline Models for Observational Data, SIAM 1990; Rasmussen & Williams, Gaussian
Processes for Machine Learning, 2006, section 5.4.2). Letters of axes: n set, t target, g group of
sets, r rank.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from scipy import sparse

from preddiff.method.decomposition import singular_values
from preddiff.method.sets import SetEvidence
from preddiff.types import Floats, Integers, PerTarget

Factor = Annotated[Floats, "regressor _rank"]
"""A factor L of a covariance L · Lᵀ."""

Slopes = Annotated[Floats, "target regressor"]
"""Slopes of the evidence for each of several regressors, or their errors."""

TargetNumbers = Annotated[Integers, "target"]
"""Numbers of some of the targets."""

Combined = Annotated[Floats, "target combination"]
"""Sums of slopes, each with a weight, or the errors of such sums."""

# Ridge penalties relative to the mean square of a regressor times the number of sets. The first is
# least squares itself, but for rounding. Larger ones than the last would say that there is hardly
# any evidence, with small errors, where nothing but noise can be seen.
_PENALTIES = (1e-9, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)


def ridge(
    regressors: Annotated[Floats, "group set regressor"], evidence: SetEvidence
) -> tuple[Slopes, Slopes]:
    """Return the slope of the evidence for each regressor, and its standard error.

    The penalty is the one that predicts a group best from all others. The error holds what the
    penalty shrinks, too.

    Parameters
    ----------
    evidence : (t, group · set), group by group.
    """
    fit = Ridge.best(regressors, evidence, None)
    itself = sparse.eye_array(regressors.shape[2], format="csr")
    return fit.slopes, fit.errors(np.arange(len(evidence)), itself)


@dataclass(frozen=True, eq=False)
class Ridge:
    """A ridge regression by X = U diag(s) Vᵀ, of slopes V diag(s / (s² + λ)) Uᵀ y.

    With a prior L · Lᵀ, X · L takes the place of X: the slopes are L times those of independent
    normals.

    Attributes
    ----------
    u, s : (n, r) and (r,).
    back : (r, regressor), from what U tells to slopes: Vᵀ, or (L · V)ᵀ.
    prior : L; None where slopes are independent.
    y : (t, n), the evidence, less its mean.
    missed : (t, group), mean square of what all other groups miss of each.
    penalties : (t,), λ, of those that were tried the ones by which least is missed.
    """

    u: Annotated[Floats, "_row _rank"]
    s: Annotated[Floats, "_rank"]
    back: Annotated[Floats, "_rank regressor"]
    prior: Factor | None
    y: SetEvidence
    missed: Annotated[Floats, "target group"]
    penalties: PerTarget

    @classmethod
    def best(
        cls,
        regressors: Annotated[Floats, "group set regressor"],
        evidence: SetEvidence,
        prior: Factor | None,
    ) -> "Ridge":
        """Return the fit with the penalty that predicts a group best from all others."""
        x = regressors.reshape(-1, regressors.shape[2])
        x = x - x.mean(axis=0)
        u, s, vt = _decomposed(_Content(x if prior is None else x @ prior))
        y = evidence - evidence.mean(axis=1, keepdims=True)
        penalties = np.array(_PENALTIES) * (s**2).sum() / x.shape[1]
        missed = np.stack([_missed(u, _kept(s, each), s, y, len(regressors)) for each in penalties])
        squares = (missed**2).mean(axis=3)
        least = squares.mean(axis=2).argmin(axis=0)
        return cls(
            u=u,
            s=s,
            back=vt if prior is None else vt @ prior.T,
            prior=prior,
            y=y,
            missed=squares[least, np.arange(len(y))],
            penalties=penalties[least],
        )

    @property
    def variance(self) -> Annotated[Floats, "target 1"]:
        """Variance of the evidence, (t, 1)."""
        variance = self.y.var(axis=1, keepdims=True)
        return np.asarray(np.maximum(variance, np.finfo(np.float64).tiny))

    @property
    def slopes(self) -> Slopes:
        """The slopes, (t, regressor)."""
        kept = np.stack([_kept(self.s, float(penalty)) for penalty in self.penalties])
        return np.asarray((self.y @ self.u * kept) @ self.back)

    def errors(self, targets: TargetNumbers, weights: sparse.csr_array) -> Combined:
        """Return the standard errors of some targets' sums of slopes, (target, combination).

        Slopes depend on each other, so the error of a sum does not follow from theirs.

        Parameters
        ----------
        weights : (combination, regressor), of the slopes in each sum; the identity matrix for the
            slopes themselves.
        """
        back = np.asarray((weights @ self.back.T).T)
        spread = (
            np.asarray(weights.multiply(weights).sum(axis=1)).ravel()
            if self.prior is None
            else (np.asarray(weights @ self.prior) ** 2).sum(axis=1)
        )
        found = [
            self._errors(self.y[t : t + 1], float(self.penalties[t]), back, spread) for t in targets
        ]
        return np.concatenate(found)

    def _errors(
        self,
        y: SetEvidence,
        penalty: float,
        back: Annotated[Floats, "_rank combination"],
        spread: Annotated[Floats, "combination"],
    ) -> Combined:
        """Return the errors for one target; `spread` is the variance by the prior."""
        kept = _kept(self.s, penalty)
        # Without group g, the slopes change by (XᵀX + λ)⁻¹ X_gᵀ times what its others miss of it.
        # Sets of a group depend on each other, groups do not, so the error of the slopes is the
        # delete-one-group jackknife's (Efron & Tibshirani, An Introduction to the Bootstrap, 1993,
        # chapter 11).
        groups = self.missed.shape[1]
        missed = _missed(self.u, kept, self.s, y, groups)
        weights = (self.u * kept).reshape(groups, -1, len(kept))
        changes = np.einsum("tga,gar->tgr", missed, weights) @ back
        variance = changes.var(axis=1) * (groups - 1)
        # The penalty also shrinks the slopes, to s² / (s² + λ) of their parts along V. Where it
        # predicts best, slopes are as if they were normals with the prior's covariance times τ² =
        # σ² / λ, and what is lost of them has the variance τ² λ² / (s² + λ)², or τ² along what no
        # set tells (Wahba, Bayesian "confidence intervals" for the cross-validated smoothing
        # spline, Journal of the Royal Statistical Society B 45, 1983). The residuals say σ².
        share = self.s * kept
        left = y - (y @ self.u * share) @ self.u.T
        noise = (left**2).sum(axis=1) / max(len(self.u) - 1 - share.sum(), 1.0)
        lost = np.maximum(0.0, spread - (share * (2 - share)) @ back**2)
        # Without a penalty, what no set tells would have no bound. But no slope explains more than
        # all of the evidence's variance: τ² is at most that over the mean square of a regressor.
        scale = (self.s**2).sum() / self.back.shape[1] / len(self.u)
        tau = np.minimum(noise / penalty, (y**2).mean(axis=1) / scale)
        return np.asarray(np.sqrt(variance + tau[:, None] * lost))


class _Content:
    """A matrix that is the same key as another one of the same content."""

    def __init__(self, values: Annotated[Floats, "_row regressor"]) -> None:
        self.values = np.ascontiguousarray(values)
        self._content = values.shape, hashlib.blake2b(self.values.data).digest()

    def __hash__(self) -> int:
        return hash(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self._content == other._content


# Inputs with the same windows and seed have the same regressors: of three rates, with four priors.
@lru_cache(maxsize=12)
def _decomposed(x: _Content) -> tuple[Floats, Floats, Floats]:
    """Return the singular value decomposition of regressors."""
    return singular_values(x.values)


def _kept(s: Annotated[Floats, "_rank"], penalty: float) -> Annotated[Floats, "_rank"]:
    return np.divide(s, s**2 + penalty, out=np.zeros_like(s), where=s > 1e-9 * s[0])


def _missed(
    u: Annotated[Floats, "_row _rank"],
    kept: Annotated[Floats, "_rank"],
    s: Annotated[Floats, "_rank"],
    y: SetEvidence,
    groups: int,
) -> Annotated[Floats, "target group set"]:
    """Return what all other groups miss of each, (t, group, set)."""
    # That is (I - H_gg)⁻¹ times what is left of a group with it; H is the hat matrix, smooth ·
    # smoothᵀ, and 1 / n of the mean.
    left = y - (y @ u * (s * kept)) @ u.T
    blocks = (u * np.sqrt(s * kept)).reshape(groups, -1, len(kept))
    hats = blocks @ blocks.transpose(0, 2, 1) + 1 / len(u)
    inverse = np.linalg.pinv(np.eye(blocks.shape[1]) - hats, hermitian=True)
    return np.asarray(np.einsum("gab,tgb->tga", inverse, left.reshape(len(y), groups, -1)))
