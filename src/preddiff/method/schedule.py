"""Schedules: which windows come next, evenly over the input or where the map is least certain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from preddiff.method import uncertainty
from preddiff.method.chunks import Chunk
from preddiff.method.estimates import CurrentEstimates
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows
from preddiff.types import PerWindow


@dataclass(frozen=True, eq=False)
class Interlaced:
    """Every window once with all its draws, covering the input evenly at every moment.

    Attributes
    ----------
    samples : draws of each window.
    chunk : windows that are visited together; the results do not depend on it.
    """

    windows: Windows
    samples: int
    chunk: int = 16

    def __len__(self) -> int:
        """Return the number of visits: one for each window."""
        return len(self.windows)

    def next(
        self,
        means: RunningMeans,
        current: CurrentEstimates,  # noqa: ARG002
        ahead: int = 0,
    ) -> Chunk | None:
        """Return the next windows of the interlaced order."""
        begun = means.visits + ahead
        which = self.windows.interlaced[begun : begun + self.chunk]
        return Chunk(which, 0, self.samples) if len(which) else None


@dataclass(frozen=True)
class Ended:
    """No windows any more, of an analysis that came to its end in an earlier run."""

    visits: int

    def __len__(self) -> int:
        """Return the number of visits."""
        return self.visits

    def next(
        self,
        means: RunningMeans,  # noqa: ARG002
        current: CurrentEstimates,  # noqa: ARG002
        ahead: int = 0,  # noqa: ARG002
    ) -> Chunk | None:
        """Return none."""
        return None


@dataclass(frozen=True, eq=False)
class Adaptive:
    """Few draws of each window at first, the rest later; sooner where the map is less certain.

    What comes next depends only on what was evaluated so far, not on time: an interrupted run
    continues as if it had not been interrupted. In the end every window has all its draws.

    Attributes
    ----------
    rounds : which draws of a window are taken at its first visit, its second, ...: (from, up to).
    chunk : windows that are chosen at once.
    """

    windows: Windows
    rounds: Sequence[tuple[int, int]]
    chunk: int = 16

    def __len__(self) -> int:
        """Return the number of visits: one for each window and round."""
        return len(self.windows) * len(self.rounds)

    def next(self, means: RunningMeans, current: CurrentEstimates, ahead: int = 0) -> Chunk | None:
        """Return the windows whose turn it is, all in the same round, one chunk at a time."""
        if ahead:
            return None
        had = means.groups * means.size
        done = np.searchsorted([last for _, last in self.rounds], had, side="right")
        left = np.flatnonzero(done < len(self.rounds))
        if len(left) == 0:
            return None
        # If all windows came in interlaced order, round after round, a window of rank i would
        # come when first · W + (last - first) · i draws were made. That is its time. Divided by
        # its allocation a, at time T the windows with time < a T were visited: as the order is
        # even, a share of the windows around that is proportional to a, as Neyman's allocation
        # asks. The same division brings the second round sooner where it is worth more.
        first, last = np.array(self.rounds)[done[left]].T
        time = first * len(self.windows) + (last - first) * self.windows.ranks[left]
        allocation = self._allocation(means, current)[left]
        chosen = left[np.argsort(time / allocation, kind="stable")[: self.chunk]]
        chosen = chosen[done[chosen] == done[chosen[0]]]
        # In rank order, windows of the same alignment follow each other: engines take those
        # together more cheaply.
        chosen = chosen[np.argsort(self.windows.ranks[chosen])]
        return Chunk(chosen, *self.rounds[done[chosen[0]]])

    def _allocation(self, means: RunningMeans, current: CurrentEstimates) -> PerWindow:
        """Return how densely to visit: evenly until every pixel has a value."""
        visited = np.flatnonzero(means.groups)
        covered = self.windows.subset(visited).covered
        if not np.array_equal(covered, self.windows.covered):
            return np.ones(len(self.windows))
        return uncertainty.neyman_allocation(
            self.windows, visited, current().evidence, means.groups[visited]
        )
