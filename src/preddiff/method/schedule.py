"""Which windows come next: evenly over the input, or where the map is least sure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preddiff.method import uncertainty
from preddiff.method.analysis import Chunk
from preddiff.method.estimates import CurrentEstimates
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows


@dataclass(frozen=True, eq=False)
class Interlaced:
    """Every window once with all its draws, covering the input evenly at every moment.

    Attributes
    ----------
    chunk : windows whose draws are held at once; changes no result.
    """

    windows: Windows
    samples: int
    chunk: int = 16

    def __len__(self) -> int:
        return len(self.windows)

    def next(self, means: RunningMeans, current: CurrentEstimates) -> Chunk | None:  # noqa: ARG002
        which = self.windows.interlaced[means.visits : means.visits + self.chunk]
        return Chunk(which, 0, self.samples) if len(which) else None


@dataclass(frozen=True, eq=False)
class Adaptive:
    """Few draws of each window at first, the rest later; sooner where the map is less sure.

    What comes next follows from what was counted alone, so that an interrupted run goes on as if
    it had not been. In the end every window has all its draws.

    Attributes
    ----------
    rounds : of draws of a window, (from, up to).
    chunk : windows that are chosen at once.
    """

    windows: Windows
    rounds: Sequence[tuple[int, int]]
    chunk: int = 16

    def __len__(self) -> int:
        return len(self.windows) * len(self.rounds)

    def next(self, means: RunningMeans, current: CurrentEstimates) -> Chunk | None:
        had = means.groups * means.size
        turn = np.searchsorted([last for _, last in self.rounds], had, side="right")
        left = np.flatnonzero(turn < len(self.rounds))
        if len(left) == 0:
            return None
        first, last = np.array(self.rounds)[turn[left]].T
        # The draws that there would be by then, if all windows came in their order.
        by_then = first * len(self.windows) + (last - first) * self.windows.ranks[left]
        order = np.argsort(by_then / self._need(means, current)[left], kind="stable")[: self.chunk]
        chosen = left[order]
        chosen = chosen[turn[chosen] == turn[chosen[0]]]
        # Windows of the same alignment follow each other in their order, and cost less together.
        chosen = chosen[np.argsort(self.windows.ranks[chosen])]
        return Chunk(chosen, *self.rounds[turn[chosen[0]]])

    def _need(self, means: RunningMeans, current: CurrentEstimates) -> NDArray[np.float64]:
        """How densely to visit, (window,): evenly until there is a value everywhere."""
        visited = np.flatnonzero(means.groups)
        seen = self.windows.subset(visited).coverage > 0
        if not np.array_equal(seen, self.windows.coverage > 0):
            return np.ones(len(self.windows))
        return uncertainty.neyman_allocation(
            self.windows, visited, current().evidence, means.groups[visited]
        )
