"""Sets of windows that are hidden together: which ones, and each window's share of their evidence.

Hidden alone, a window of an object that can be known by several of its parts changes nothing: the
others stand in for it. So random sets of windows are hidden together, and a window's evidence is by
how much more a set changes the prediction if the window belongs to it.

Let v(S) be the evidence of a set S, and let each window be hidden with probability q, independently
of all others. The evidence of window i at this rate is the expectation

    φ_i(q) = E [ v(S ∪ {i}) - v(S \\ {i}) ]

- q → 0 is v({i}): the window alone, Algorithm 1 of the paper;
- q = ½ is Banzhaf's value;
- the mean over q from 0 to 1 is Shapley's value (Owen, Multilinear extensions of games, Management
  Science 18, 1972).

Here it is averaged over a few rates. As windows are hidden independently, φ(q) is also the slope of
the least-squares fit of v(S) by a sum over the windows in S: the hidden windows are the regressors.
Letters of axes: n set, w window, t target, g group of sets.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.method.windows import Windows
from preddiff.types import Evidence, Floats, Integers, WindowNumbers

Hidden = Annotated[NDArray[np.bool_], "set window"]
"""True where a window belongs to a set."""

SetNumbers = Annotated[Integers, "set"]
"""Numbers of sets, from 0."""

Slopes = Annotated[Floats, "target regressor"]
"""Slopes of the evidence for each of several regressors, or their errors."""

SetEvidence = Annotated[Floats, "target set"]
"""Evidence of sets for targets."""

RATES = (0.1, 0.3, 0.5)
"""Shares of the windows that are hidden together."""

GROUP = 10
"""Sets that are drawn together, so that each window is hidden in the same number of them."""

# Ridge penalties relative to the mean square of a regressor times the number of sets. The first is
# least squares itself, but for rounding.
_PENALTIES = (1e-9, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
_MIN_GROUPS = 3  # whose spread tells an error


@dataclass(frozen=True, eq=False)
class SetDesign:
    """Random sets of windows.

    Windows that overlap are never drawn against each other: windows `stride` apart fall into
    several tilings, each a grid of windows side by side, and a set is of one tiling.

    Attributes
    ----------
    windows : all windows.
    stride : pixels from one to the next.
    count : number of sets; they come in groups of `GROUP`.
    seed : the sets follow from it, set by set.
    rates : shares of windows that are hidden.
    """

    windows: Windows
    stride: int
    count: int
    seed: int
    rates: tuple[float, ...] = RATES

    def __len__(self) -> int:
        """Return the number of sets: the count, filled up to whole groups."""
        return -(-self.count // GROUP) * GROUP

    @cached_property
    def tilings(self) -> list[WindowNumbers]:
        """The windows of each tiling, by their numbers."""
        return self.windows.tilings(self.stride)

    def rate_and_tiling(self, group: int) -> tuple[int, int]:
        """Return the numbers of a group's rate and of its tiling; all take turns."""
        return group % len(self.rates), group // len(self.rates) % len(self.tilings)

    def members(self, group: int) -> Hidden:
        """Return which windows of the group's tiling each set of a group hides."""
        # Each window has a uniform number u, and belongs to set r if u + r / 10 (modulo 1) is below
        # the rate. For every single set that is an independent draw of each window; over the ten
        # sets, a window is hidden ten times the rate, neither more nor less (systematic sampling;
        # Madow & Madow 1944). At a rate of one half, sets come in complementary pairs.
        rate, tiling = self.rate_and_tiling(group)
        random = np.random.Generator(np.random.Philox(key=[self.seed, group]))
        uniform = random.random(len(self.tilings[tiling]))
        return (uniform + np.arange(GROUP)[:, None] / GROUP) % 1 < self.rates[rate]

    @property
    def all_members(self) -> Hidden:
        """The windows that each set hides, where all windows are of one tiling."""
        return np.concatenate([self.members(group) for group in range(len(self) // GROUP)])

    def windows_of(self, number: int) -> Windows:
        """Return the windows that a set hides."""
        group, row = divmod(number, GROUP)
        _, tiling = self.rate_and_tiling(group)
        return self.windows.subset(self.tilings[tiling][self.members(group)[row]])


def shares(
    design: SetDesign, numbers: SetNumbers, evidence: SetEvidence
) -> tuple[WindowNumbers, Evidence, Evidence]:
    """Return the windows that can be known by now, their evidence and its standard error.

    While none can, all of them, with NaN.

    Parameters
    ----------
    numbers : (n,), the sets that were evaluated, ascending; those of groups that are not complete
        are left out.
    evidence : (t, n), of these sets.

    Returns
    -------
    (window,), (t, window) and (t, window).
    """
    groups = numbers.reshape(-1) // GROUP
    complete = [g for g in np.unique(groups) if (groups == g).sum() == GROUP]
    known, found, errors = [], [], []
    for tiling, members in enumerate(design.tilings):
        fits = []
        for rate in range(len(design.rates)):
            own = [g for g in complete if design.rate_and_tiling(g) == (rate, tiling)]
            if len(own) >= _MIN_GROUPS:
                values = evidence[:, np.isin(groups, own)]
                hidden = np.stack([design.members(g) for g in own])
                fits.append(ridge(hidden.astype(np.float64), values))
        if len(fits) == len(design.rates):
            known.append(members)
            found.append(np.mean([slopes for slopes, _ in fits], axis=0))
            errors.append(np.sqrt(np.sum([e**2 for _, e in fits], axis=0)) / len(fits))
    if not known:
        unknown = np.full((len(evidence), len(design.windows)), np.nan)
        return np.arange(len(design.windows)), unknown, unknown
    windows = np.concatenate(known)
    order = np.argsort(windows)
    return (
        windows[order],
        np.concatenate(found, axis=1)[:, order],
        np.concatenate(errors, axis=1)[:, order],
    )


def ridge(
    regressors: Annotated[Floats, "group set regressor"], evidence: SetEvidence
) -> tuple[Slopes, Slopes]:
    """Return the slope of the evidence for each regressor, and its standard error.

    Ridge regression; the penalty is the one that predicts a group best from all others. The error
    holds what the penalty shrinks, too.

    Parameters
    ----------
    evidence : (t, group · set), group by group.
    """
    count, sets, _ = regressors.shape
    x = regressors.reshape(count * sets, -1)
    centred = x - x.mean(axis=0)
    y = evidence - evidence.mean(axis=1, keepdims=True)
    # With X = U diag(s) Vᵀ, ridge slopes are V diag(s / (s² + λ)) Uᵀ y for every penalty λ.
    u, s, vt = np.linalg.svd(centred, full_matrices=False)
    scale = len(x) * float(np.mean(centred**2))
    tried = [_with_penalty(u, s, vt, y, each * scale, count) for each in _PENALTIES]
    best = np.argmin([missed for _, _, missed in tried], axis=0)
    rows = np.arange(len(y))
    slopes, errors = (np.stack([each[k] for each in tried]) for k in (0, 1))
    return slopes[best, rows], errors[best, rows]


def _with_penalty(
    u: Annotated[Floats, "_row _rank"],
    s: Annotated[Floats, "_rank"],
    vt: Annotated[Floats, "_rank window"],
    y: SetEvidence,
    penalty: float,
    count: int,
) -> tuple[Evidence, Evidence, Annotated[Floats, "target"]]:
    """Return slopes, their errors, and the mean square of what each group's others miss of it."""
    kept = np.divide(s, s**2 + penalty, out=np.zeros_like(s), where=s > 1e-9 * s[0])
    slopes = (y @ u * kept) @ vt
    smooth = u * np.sqrt(s * kept)  # the hat matrix is smooth · smoothᵀ, and 1 / n of the mean
    left = (y - (y @ u * (s * kept)) @ u.T).reshape(len(y), count, -1)
    # Without group g, what is left of it is (I - H_gg)⁻¹ times what is left with it, and the slopes
    # change by (XᵀX + λ)⁻¹ X_gᵀ times that. Sets of a group depend on each other, groups do not, so
    # the error of the slopes is the delete-one-group jackknife's (Efron & Tibshirani, An
    # Introduction to the Bootstrap, 1993, chapter 11).
    blocks = smooth.reshape(count, -1, smooth.shape[1])
    size = blocks.shape[1]
    hats = blocks @ blocks.transpose(0, 2, 1) + 1 / (count * size)
    inverse = np.linalg.pinv(np.eye(size) - hats, hermitian=True)
    missed = np.einsum("gab,tgb->tga", inverse, left)
    weights = (u * kept).reshape(count, size, -1)
    changes = np.einsum("tga,gar->tgr", missed, weights)
    changes -= changes.mean(axis=1, keepdims=True)
    covariance = np.einsum("tgr,tgq->trq", changes, changes) * (count - 1) / count
    variance = np.maximum(0, np.einsum("rw,trq,qw->tw", vt, covariance, vt))
    # The penalty also shrinks the slopes, to s² / (s² + λ) of their parts along V. Where it
    # predicts best, slopes are as if they were independent normals with the variance τ² = σ² / λ,
    # and what is lost of them has the variance τ² λ² / (s² + λ)², or τ² along what no set tells
    # (Wahba, Bayesian "confidence intervals" for the cross-validated smoothing spline, Journal of
    # the Royal Statistical Society B 45, 1983). The residuals say σ².
    kept_share = s**2 / (s**2 + penalty)
    noise = (left**2).sum(axis=(1, 2)) / max(len(u) - 1 - kept_share.sum(), 1.0)
    lost = np.maximum(0.0, 1 - (kept_share * (2 - kept_share)) @ vt**2)
    shrunk = noise[:, None] / penalty * lost
    return slopes, np.sqrt(variance + shrunk), (missed**2).mean(axis=(1, 2))
