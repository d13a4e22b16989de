"""Estimates: evidence, map and errors as far as windows have been visited."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from preddiff.method import uncertainty
from preddiff.method.importance import importance_and_error
from preddiff.method.sets import SetEvidence
from preddiff.method.shares import Shares
from preddiff.method.windows import Windows
from preddiff.types import Evidence, PerTarget, Relevance, WindowNumbers


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates after some visits to windows.

    Attributes
    ----------
    every : all windows that are to be visited.
    visited : (window,), numbers of the windows visited so far, ascending.
    evidence, error : (target, window) of the visited windows: evidence, and its standard error
        that comes from the draws.
    bias : (target, window), what was subtracted from the evidence as its bias.
    draws : number of draws that were evaluated.
    taken : (target,), the share of the evidence that the Laplace correction takes.
    groups : (window,), groups of draws that each error was estimated from; None where no error had
        to be estimated.
    of_sets : (target, set), evidence of the random sets of windows that were hidden, which that of
        windows was estimated from; None where windows were hidden one at a time.
    shares : what is known of windows from such sets, whose errors depend on each other.
    """

    every: Windows
    visited: WindowNumbers
    evidence: Evidence
    error: Evidence
    bias: Evidence
    draws: int
    taken: PerTarget | None = None
    groups: WindowNumbers | None = None
    of_sets: SetEvidence | None = None
    shares: Shares | None = None

    @property
    def windows(self) -> Windows:
        """Return the windows that were visited."""
        return self.every.subset(self.visited)

    def relevance_and_error(self) -> tuple[Relevance, Relevance]:
        """Return the map of all windows and its standard error, both (target, *spatial)."""
        visited = self.every, self.visited, self.evidence
        dependent = self._dependent
        if dependent is not None and len(self.visited) == len(self.every):
            return uncertainty.relevance(*visited), dependent.map_error()
        error = uncertainty.standard_error(*visited, self.error, self.bias)
        if dependent is not None:
            # Windows of some tilings only leave others to interpolate, which is no part of theirs.
            error = np.fmax(error, dependent.map_error())
        return uncertainty.relevance(*visited), error

    def importance_and_error(self) -> tuple[Relevance, Relevance]:
        """Return the importance of all windows and its standard error, both (target, *spatial)."""
        visited = self.every, self.visited, self.evidence
        variance = None if self._dependent is None else self._dependent.mean_square_variance()
        return importance_and_error(*visited, self.error, self.bias, self.groups, variance)

    @property
    def _dependent(self) -> Shares | None:
        """The windows' shares, if their errors depend on each other."""
        return self.shares if self.shares is not None and self.shares.depend else None

    def relative_error(self) -> float:
        """Return the map's standard error relative to its relevance, of the worst target."""
        return uncertainty.relative_error(*self.relevance_and_error(), self.every.coverage > 0)


CurrentEstimates = Callable[[], Estimates]
"""Return the estimates of this moment: they are computed only when somebody asks for them."""
