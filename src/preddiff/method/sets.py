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
the least-squares fit of v(S) by a sum over the windows in S: the hidden windows are the regressors
(see `shares`). Letters of axes: n set, w window, t target, g group of sets.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.method.windows import Windows
from preddiff.types import Floats, Integers, WindowNumbers

Hidden = Annotated[NDArray[np.bool_], "set window"]
"""True where a window belongs to a set."""

SetNumbers = Annotated[Integers, "set"]
"""Numbers of sets, from 0."""

SetEvidence = Annotated[Floats, "target set"]
"""Evidence of sets for targets."""

RATES = (0.1, 0.3, 0.5)
"""Shares of the windows that are hidden together."""

GROUP = 10
"""Sets that are drawn together, so that each window is hidden in the same number of them."""

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

    def known_tilings(self, groups: Iterable[int]) -> list[int]:
        """Return the tilings of which a few of the groups are of every rate, by their numbers."""
        counts = Counter(self.rate_and_tiling(group) for group in groups)
        rates = range(len(self.rates))
        return [
            tiling
            for tiling in range(len(self.tilings))
            if all(counts[rate, tiling] >= _MIN_GROUPS for rate in rates)
        ]

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
        return self.windows.subset(np.flatnonzero(_hidden(self, group)[row]))


@lru_cache(maxsize=1)
def _hidden(design: SetDesign, group: int) -> Hidden:
    """Return the same as `SetDesign.hidden`, of which the sets are asked for one by one."""
    return design.hidden(group)
