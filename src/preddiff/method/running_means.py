"""Running means over draws, window by window, in whatever portions the draws come.

Letters of axes: t target, w window, s draw.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from preddiff.method.evidence import error_of_mean
from preddiff.types import Evidence, Floats, WindowNumbers

DrawsLast = Annotated[Floats, "target window draw"]
"""Values with the draws in the last axis, over which means are taken."""


@dataclass(eq=False)
class RunningMeans:
    """Means and sums of squared deviations of the values so far, for every window.

    The draws of a window fall into groups that are independent of each other: a group is a pair
    of antithetic draws, or a single draw. Deviations are those of the groups' means, so that the
    standard error knows of the dependence within a group.

    Attributes
    ----------
    groups : (w,), number of groups of draws that each window had.
    mean : (t, w), mean over all draws.
    squares : (t, w), sum of the squared deviations of the groups' means from `mean`.
    visits : number of visits to windows; a window that came twice is counted twice.
    size : draws in a group; 2 for antithetic pairs.
    population : number of different draws that a window has; None if unlimited.
    """

    groups: WindowNumbers
    mean: Evidence
    squares: Evidence
    visits: int = 0
    size: int = 1
    population: int | None = None

    @classmethod
    def empty(
        cls, targets: int, windows: int, size: int = 1, population: int | None = None
    ) -> "RunningMeans":
        """Return the means of an analysis that has not begun."""
        return cls(
            np.zeros(windows, dtype=np.int64),
            np.zeros((targets, windows)),
            np.zeros((targets, windows)),
            size=size,
            population=population,
        )

    def add(self, which: WindowNumbers, values: DrawsLast) -> None:
        """Take in more draws of some windows.

        Parameters
        ----------
        which : (w,), numbers of the windows, none of them twice.
        values : (t, w, s), in whole groups: groups are neighbours along the last axis.
        """
        grouped = values.reshape(*values.shape[:2], -1, self.size).mean(axis=3)
        old, new = self.groups[which], grouped.shape[2]
        mean = grouped.mean(axis=2)
        # Two samples of n and m numbers with means a and b and sums of squared deviations A and B
        # have together, with δ = b - a (Chan, Golub & LeVeque, The American Statistician 37, 1983):
        #
        #     mean    a + δ m / (n + m)
        #     squares A + B + δ² n m / (n + m)
        #
        # The textbook's Σx² - (Σx)² / n would subtract two nearly equal numbers where draws hardly
        # change a prediction, which is most windows: no digit of the error might be left.
        difference = mean - self.mean[:, which]
        self.mean[:, which] += difference * (new / (old + new))
        self.squares[:, which] += ((grouped - mean[..., None]) ** 2).sum(axis=2)
        self.squares[:, which] += difference**2 * (old * new / (old + new))
        self.groups[which] += new
        self.visits += len(which)

    def clear(self) -> None:
        """Forget all draws: the analysis begins anew."""
        for each in (self.groups, self.mean, self.squares):
            each[:] = 0
        self.visits = 0

    def mean_and_error(self, which: WindowNumbers) -> tuple[Evidence, Evidence]:
        """Return the mean over the draws of some windows and its standard error, both (t, w)."""
        error = error_of_mean(self.squares, self.groups, self.size, self.population)
        return self.mean[:, which], error[:, which]
