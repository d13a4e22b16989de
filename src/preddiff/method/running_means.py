"""RunningMeans: means over draws, window by window, however the draws come in.

Axis names: t target, w window, s draw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preddiff.method.evidence import error_of_mean

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(eq=False)
class RunningMeans:
    """Running means and squared deviations of groups of draws (Chan, Golub & LeVeque 1983).

    Attributes
    ----------
    groups : (w,), how many groups of draws each window had.
    mean : (t, w), mean over all draws.
    squares : (t, w), sum of the squared deviations of the groups' means from it.
    visits : how many times a window was visited.
    size : draws in a group that depend on each other; 2 for antithetic pairs.
    population : how many different draws a window has, None if unlimited.
    """

    groups: Integers
    mean: Floats
    squares: Floats
    visits: int = 0
    size: int = 1
    population: int | None = None

    @classmethod
    def empty(
        cls, targets: int, windows: int, size: int = 1, population: int | None = None
    ) -> "RunningMeans":
        """Before the first visit."""
        return cls(
            np.zeros(windows, dtype=np.int64),
            np.zeros((targets, windows)),
            np.zeros((targets, windows)),
            size=size,
            population=population,
        )

    def add(self, which: Integers, values: Floats) -> None:
        """Count values (t, w, s) of some windows, none of them twice."""
        grouped = values.reshape(*values.shape[:2], -1, self.size).mean(axis=3)
        old, new = self.groups[which], grouped.shape[2]
        mean = grouped.mean(axis=2)
        difference = mean - self.mean[:, which]
        self.mean[:, which] += difference * (new / (old + new))
        self.squares[:, which] += ((grouped - mean[..., None]) ** 2).sum(axis=2)
        self.squares[:, which] += difference**2 * (old * new / (old + new))
        self.groups[which] += new
        self.visits += len(which)

    def mean_and_error(self, which: Integers) -> tuple[Floats, Floats]:
        """Mean over the draws of some windows and its standard error, both (t, w)."""
        error = error_of_mean(self.squares, self.groups, self.size, self.population)
        return self.mean[:, which], error[:, which]
