"""Each window's share of the evidence of random sets of windows, by a regression (see `sets`).

There are as many windows as sets, so slopes are shrunk: each by itself, or towards a smooth map,
whichever predicts sets that it has not seen better. Letters of axes: n set, t target, w window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import sparse

from preddiff.method.pieces import Pieces
from preddiff.method.regions import Regions
from preddiff.method.ridge import Combined, Factor, Ridge, Slopes, TargetNumbers
from preddiff.method.sets import GROUP, SetDesign, SetEvidence, SetNumbers
from preddiff.method.windows import Windows
from preddiff.types import Evidence, Integers, Relevance, WindowNumbers

# Distances, in windows, over which the evidence of windows is taken to be alike.
_REACHES = (0.7, 1.0, 1.5)
_CLEARLY = 2.0  # standard errors by which a smooth map has to predict better than any map
_MOST_NEIGHBOURS = 2000  # windows: their covariance is a matrix, which is decomposed
_LEAST_SHARE = 1e-6  # of the largest eigenvalue: less is rounding


@dataclass(frozen=True, eq=False)
class Shares:
    """Evidence of windows, from the sets that were evaluated.

    Attributes
    ----------
    windows : of which something is known. While nothing is, all of them.
    known : (w,), their numbers among all windows, ascending.
    evidence, error : (t, w), theirs, and its standard error; NaN while nothing is known.
    """

    windows: Windows
    known: WindowNumbers
    evidence: Evidence
    error: Evidence
    _fits: "Sequence[_OfRate]"

    @property
    def depend(self) -> bool:
        """True if several windows are at a pixel, and their errors are known."""
        return bool(self._fits) and not isinstance(self.windows, Regions)

    def map_error(self) -> Relevance:
        """Return the standard error of the mean evidence of the windows at each pixel, (t, *shape).

        Errors of windows that are near each other are alike, so they do not average out.
        """
        return self._pieces.everywhere(_errors(self._fits, self._targets, self._pieces.means))

    def mean_square_variance(self) -> Relevance:
        """Return the variance of the mean squared evidence at each pixel, (t, *shape).

        That is of the mean of y² - s² of the windows there, y being their evidence, s its error.
        """
        # To first order, y² changes by 2 y times what y does. What is left, of a normal y, has the
        # variance 2 s⁴, and 2 y for twice the true evidence adds 4 s⁴ on average (`importance`).
        # How much of the second order nearby windows share is not known: all of it is the most.
        means = self._pieces.means
        first = [
            _errors(self._fits, self._targets[t : t + 1], (means * (2 * row)).tocsr())[0] ** 2
            for t, row in enumerate(self.evidence)
        ]
        second = 2 * np.asarray((means @ self.error.T**2).T) ** 2
        return self._pieces.everywhere(np.maximum(np.stack(first) - second, second))

    @property
    def _targets(self) -> TargetNumbers:
        return np.arange(len(self.evidence))

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces.of(self.windows)


@dataclass(frozen=True, eq=False)
class _OfRate:
    """Regressions of the sets of one rate: one for each prior, of which each target has its own."""

    of_prior: Sequence[Ridge]
    chosen: Integers

    @property
    def slopes(self) -> Slopes:
        """The slopes, (t, w)."""
        found = {int(number): self.of_prior[number].slopes for number in np.unique(self.chosen)}
        return np.stack([found[int(number)][t] for t, number in enumerate(self.chosen)])

    def errors(self, targets: TargetNumbers, weights: sparse.csr_array) -> Combined:
        """Return the errors of some targets' sums of slopes."""
        chosen = self.chosen[targets]
        found: Combined = np.empty((len(targets), weights.shape[0]))
        for number in np.unique(chosen):
            own = chosen == number
            found[own] = self.of_prior[number].errors(targets[own], weights)
        return found


def shares(design: SetDesign, numbers: SetNumbers, evidence: SetEvidence) -> Shares:
    """Return what is known of each window by now.

    Parameters
    ----------
    numbers : (n,), the sets that were evaluated, ascending; those of groups that are not complete
        are left out.
    evidence : (t, n), of these sets.
    """
    groups = numbers.reshape(-1) // GROUP
    complete = [g for g in np.unique(groups) if (groups == g).sum() == GROUP]
    tilings = design.known_tilings(complete)
    if not tilings:
        unknown = np.full((len(evidence), len(design.windows)), np.nan)
        return Shares(design.windows, np.arange(len(design.windows)), unknown, unknown, [])
    known = np.sort(np.concatenate([design.tilings[tiling] for tiling in tilings]))
    windows = design.windows.subset(known)
    priors = _priors(windows)
    found = []  # [rate][prior]
    for rate in range(len(design.rates)):
        of_rate = {(rate, tiling) for tiling in tilings}
        own = [g for g in complete if design.rate_and_tiling(g) in of_rate]
        hidden = np.stack([design.hidden(g)[:, known] for g in own]).astype(np.float64)
        values = evidence[:, np.isin(groups, own)]
        found.append([Ridge.best(hidden, values, prior) for prior in priors])
    chosen = _best_prior(found)
    fits = [_OfRate(of_prior, chosen) for of_prior in found]
    slopes = np.mean([fit.slopes for fit in fits], axis=0)
    itself = sparse.eye_array(len(known), format="csr")
    errors = _errors(fits, np.arange(len(evidence)), itself)
    return Shares(windows, known, slopes, errors, fits)


def _errors(
    fits: "Sequence[_OfRate]", targets: TargetNumbers, weights: sparse.csr_array
) -> Combined:
    """Return the errors of some targets' sums of the mean slopes of all rates."""
    squares = [fit.errors(targets, weights) ** 2 for fit in fits]
    return np.asarray(np.sqrt(np.sum(squares, axis=0)) / len(fits))


def _priors(windows: Windows) -> list[Factor | None]:
    """Return factors of the covariances that the evidence of windows may have; None: independent.

    What speaks for a class is larger than a window, mostly: evidence is a smooth map. As a normal
    with the covariance (1 + √3 d / r) exp(-√3 d / r) of windows at the distance d (Matérn's with
    ν = 3/2, whose maps have edges that those of a Gaussian covariance blur), it is known from a
    third of the sets. How smooth, if at all, is chosen by what predicts best. Regions follow the
    edges between things that may well differ: they are independent.
    """
    if len(windows) > _MOST_NEIGHBOURS or isinstance(windows, Regions):
        return [None]
    return [None, *_smooth(windows.size, windows.starts.tobytes())]


@lru_cache(maxsize=1)
def _smooth(size: tuple[int, ...], starts: bytes) -> list[Factor]:
    """Return the factors for smooth maps, which many inputs have in common."""
    at = np.frombuffer(starts, np.int64).reshape(-1, len(size)) / np.array(size)
    distances = np.sqrt(3 * ((at[:, None] - at[None]) ** 2).sum(axis=2))
    scaled = [distances / reach for reach in _REACHES]
    return [_factor((1 + each) * np.exp(-each)) for each in scaled]


def _factor(covariance: Factor) -> Factor:
    """Return L with L · Lᵀ = covariance, but for what is as small as rounding."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > _LEAST_SHARE * values[-1]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _best_prior(fits: list[list[Ridge]]) -> Integers:
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
