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
There are as many windows as sets, so slopes are shrunk: each by itself, or towards a smooth map,
whichever predicts sets that it has not seen better (Wahba, Spline Models for Observational Data,
SIAM 1990; Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006, section 5.4.2).
Letters of axes: n set, w window, t target, g group of sets.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.method.regions import Regions
from preddiff.method.windows import Windows
from preddiff.types import Evidence, Floats, Integers, PerTarget, WindowNumbers

Hidden = Annotated[NDArray[np.bool_], "set window"]
"""True where a window belongs to a set."""

SetNumbers = Annotated[Integers, "set"]
"""Numbers of sets, from 0."""

Factor = Annotated[Floats, "regressor _rank"]
"""A factor L of a covariance L · Lᵀ."""

Slopes = Annotated[Floats, "target regressor"]
"""Slopes of the evidence for each of several regressors, or their errors."""

SetEvidence = Annotated[Floats, "target set"]
"""Evidence of sets for targets."""

RATES = (0.1, 0.3, 0.5)
"""Shares of the windows that are hidden together."""

GROUP = 10
"""Sets that are drawn together, so that each window is hidden in the same number of them."""

# Ridge penalties relative to the mean square of a regressor times the number of sets. The first is
# least squares itself, but for rounding. Larger ones than the last would say that there is hardly
# any evidence, with small errors, where nothing but noise can be seen.
_PENALTIES = (1e-9, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
# Distances, in windows, over which the evidence of windows is taken to be alike.
_REACHES = (0.7, 1.0, 1.5)
_CLEARLY = 2.0  # standard errors by which a smooth map has to predict better than any map
_MOST_NEIGHBOURS = 2000  # windows: their covariance is a matrix, which is decomposed
_LEAST_SHARE = 1e-6  # of the largest eigenvalue: less is rounding
_MIN_GROUPS = 3  # whose spread tells an error


@dataclass(frozen=True, eq=False)
class SetDesign:
    """Random sets of windows.

    Windows that overlap are never drawn against each other: windows `stride` apart fall into
    several tilings, each a grid of windows side by side, and a set is of one tiling. Only the last
    windows of a tiling, which end at the border, may overlap those before them.

    Attributes
    ----------
    windows : all windows.
    stride : pixels from one to the next, for all axes or for each.
    count : number of sets; they come in groups of `GROUP`.
    seed : the sets follow from it, set by set.
    rates : shares of windows that are hidden.
    """

    windows: Windows
    stride: int | Sequence[int]
    count: int
    seed: int
    rates: tuple[float, ...] = RATES

    def __len__(self) -> int:
        """Return the number of sets: the count, filled up to whole groups."""
        return -(-self.count // GROUP) * GROUP

    @property
    def fewest(self) -> int:
        """The number of sets from which on something is known of every window."""
        return _MIN_GROUPS * GROUP * len(self.rates) * len(self.tilings)

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

    def hidden(self, group: int) -> Hidden:
        """Return which of all windows each set of a group hides."""
        result = np.zeros((GROUP, len(self.windows)), dtype=bool)
        _, tiling = self.rate_and_tiling(group)
        result[:, self.tilings[tiling]] = self.members(group)
        return result

    @property
    def all_hidden(self) -> Hidden:
        """The windows that each set hides."""
        return np.concatenate([self.hidden(group) for group in range(len(self) // GROUP)])

    def windows_of(self, number: int) -> Windows:
        """Return the windows that a set hides."""
        group, row = divmod(number, GROUP)
        return self.windows.subset(np.flatnonzero(self.hidden(group)[row]))


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
    tilings = _known_tilings(design, complete)
    if not tilings:
        unknown = np.full((len(evidence), len(design.windows)), np.nan)
        return np.arange(len(design.windows)), unknown, unknown
    known = np.sort(np.concatenate([design.tilings[tiling] for tiling in tilings]))
    priors = _priors(design.windows.subset(known))
    fits = []  # [rate][prior]
    for rate in range(len(design.rates)):
        of_rate = {(rate, tiling) for tiling in tilings}
        own = [g for g in complete if design.rate_and_tiling(g) in of_rate]
        hidden = np.stack([design.hidden(g)[:, known] for g in own]).astype(np.float64)
        values = evidence[:, np.isin(groups, own)]
        fits.append([_Ridge.best(hidden, values, prior) for prior in priors])
    chosen = _best_prior(fits)
    found = [_of_targets(each, chosen) for each in fits]
    errors = np.sqrt(np.sum([error**2 for _, error in found], axis=0)) / len(found)
    return known, np.mean([slopes for slopes, _ in found], axis=0), errors


def _known_tilings(design: SetDesign, complete: list[int]) -> list[int]:
    """Return the tilings of which there are a few groups of every rate, by their numbers."""
    counts = Counter(design.rate_and_tiling(group) for group in complete)
    rates = range(len(design.rates))
    return [
        tiling
        for tiling in range(len(design.tilings))
        if all(counts[rate, tiling] >= _MIN_GROUPS for rate in rates)
    ]


def _priors(windows: Windows) -> list[Factor | None]:
    """Return factors of the covariances that the evidence of windows may have; None: independent.

    What speaks for a class is larger than a window, mostly: evidence is a smooth map. As a normal
    with the covariance exp(-d² / 2 r²) of windows at the distance d, it is known from a third of
    the sets. How smooth, if at all, is chosen by what predicts best (`ridge`). Regions follow the
    edges between things that may well differ: they are independent.
    """
    if len(windows) > _MOST_NEIGHBOURS or isinstance(windows, Regions):
        return [None]
    at = windows.starts / np.array(windows.size)
    squares = ((at[:, None] - at[None]) ** 2).sum(axis=2)
    return [None, *(_factor(np.exp(-squares / (2 * reach**2))) for reach in _REACHES)]


def _factor(covariance: Factor) -> Factor:
    """Return L with L · Lᵀ = covariance, but for what is as small as rounding."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > _LEAST_SHARE * values[-1]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _best_prior(fits: "list[list[_Ridge]]") -> Integers:
    """Return for each target which prior predicts best, over all rates.

    A smooth one claims more, and its errors are smaller: it has to be clearly better than none.
    """
    missed = np.stack(
        [
            np.concatenate([fit.missed / fit.variance for fit in of_prior], axis=1)
            for of_prior in zip(*fits, strict=True)
        ]
    )
    gain = missed[0] - missed[1:]
    error = gain.std(axis=2, ddof=1) / np.sqrt(gain.shape[2])
    clear = np.where(gain.mean(axis=2) > _CLEARLY * error, gain.mean(axis=2), 0)
    return np.asarray(np.concatenate([np.zeros((1, missed.shape[1])), clear]).argmax(axis=0))


def _of_targets(fits: "Sequence[_Ridge]", chosen: Integers) -> tuple[Slopes, Slopes]:
    """Return slopes and errors of each target by the fit that was chosen for it."""
    found = {int(number): fits[number].slopes_and_errors() for number in np.unique(chosen)}
    slopes, errors = (
        np.stack([found[int(number)][k][target] for target, number in enumerate(chosen)])
        for k in (0, 1)
    )
    return slopes, errors


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
    return _Ridge.best(regressors, evidence, None).slopes_and_errors()


@dataclass(frozen=True, eq=False)
class _Ridge:
    """A ridge regression by X = U diag(s) Vᵀ, of slopes V diag(s / (s² + λ)) Uᵀ y.

    With a prior L · Lᵀ, X · L takes the place of X: the slopes are L times those of independent
    normals. Letters of axes: r rank.

    Attributes
    ----------
    u, s : (n, r) and (r,).
    back : (r, regressor), from what U tells to slopes: Vᵀ, or (L · V)ᵀ.
    spread : (regressor,), variances of the prior.
    y : (t, n), the evidence, less its mean.
    missed : (t, group), mean square of what all other groups miss of each.
    penalties : (t,), λ, of those that were tried the ones by which least is missed.
    """

    u: Annotated[Floats, "_row _rank"]
    s: Annotated[Floats, "_rank"]
    back: Annotated[Floats, "_rank regressor"]
    spread: Annotated[Floats, "regressor"]
    y: SetEvidence
    missed: Annotated[Floats, "target group"]
    penalties: PerTarget

    @classmethod
    def best(
        cls,
        regressors: Annotated[Floats, "group set regressor"],
        evidence: SetEvidence,
        prior: Factor | None,
    ) -> "_Ridge":
        """Return the fit with the penalty that predicts a group best from all others."""
        x = regressors.reshape(-1, regressors.shape[2])
        x = x - x.mean(axis=0)
        u, s, vt = np.linalg.svd(x if prior is None else x @ prior, full_matrices=False)
        y = evidence - evidence.mean(axis=1, keepdims=True)
        penalties = np.array(_PENALTIES) * (s**2).sum() / x.shape[1]
        missed = np.stack([_missed(u, _kept(s, each), s, y, len(regressors)) for each in penalties])
        squares = (missed**2).mean(axis=3)
        least = squares.mean(axis=2).argmin(axis=0)
        return cls(
            u=u,
            s=s,
            back=vt if prior is None else vt @ prior.T,
            spread=np.ones(x.shape[1]) if prior is None else (prior**2).sum(axis=1),
            y=y,
            missed=squares[least, np.arange(len(y))],
            penalties=penalties[least],
        )

    @property
    def variance(self) -> Annotated[Floats, "target 1"]:
        """Variance of the evidence, (t, 1)."""
        variance = self.y.var(axis=1, keepdims=True)
        return np.asarray(np.maximum(variance, np.finfo(np.float64).tiny))

    def slopes_and_errors(self) -> tuple[Slopes, Slopes]:
        """Return the slopes and their standard errors, (t, regressor)."""
        found = [
            self._with_penalty(self.y[t : t + 1], float(penalty))
            for t, penalty in enumerate(self.penalties)
        ]
        slopes, errors = (np.concatenate([each[k] for each in found]) for k in (0, 1))
        return slopes, errors

    def _with_penalty(self, y: SetEvidence, penalty: float) -> tuple[Slopes, Slopes]:
        kept = _kept(self.s, penalty)
        slopes = (y @ self.u * kept) @ self.back
        # Without group g, the slopes change by (XᵀX + λ)⁻¹ X_gᵀ times what its others miss of it.
        # Sets of a group depend on each other, groups do not, so the error of the slopes is the
        # delete-one-group jackknife's (Efron & Tibshirani, An Introduction to the Bootstrap, 1993,
        # chapter 11).
        groups = self.missed.shape[1]
        missed = _missed(self.u, kept, self.s, y, groups)
        weights = (self.u * kept).reshape(groups, -1, len(kept))
        changes = np.einsum("tga,gar->tgr", missed, weights) @ self.back
        variance = changes.var(axis=1) * (groups - 1)
        # The penalty also shrinks the slopes, to s² / (s² + λ) of their parts along V. Where it
        # predicts best, slopes are as if they were normals with the prior's covariance times τ² =
        # σ² / λ, and what is lost of them has the variance τ² λ² / (s² + λ)², or τ² along what no
        # set tells (Wahba, Bayesian "confidence intervals" for the cross-validated smoothing
        # spline, Journal of the Royal Statistical Society B 45, 1983). The residuals say σ².
        share = self.s * kept
        left = y - (y @ self.u * share) @ self.u.T
        noise = (left**2).sum(axis=1) / max(len(self.u) - 1 - share.sum(), 1.0)
        lost = np.maximum(0.0, self.spread - (share * (2 - share)) @ self.back**2)
        # Without a penalty, what no set tells would have no bound. But no slope explains more than
        # all of the evidence's variance: τ² is at most that over the mean square of a regressor.
        scale = (self.s**2).sum() / self.back.shape[1] / len(self.u)
        tau = np.minimum(noise / penalty, (y**2).mean(axis=1) / scale)
        return slopes, np.sqrt(variance + tau[:, None] * lost)


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
