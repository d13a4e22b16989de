"""Checks of a result: what was checked, and by how much numbers differ."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

Numbers = Annotated[NDArray[np.floating], "..."]
"""Numbers of any shape."""

ROUNDING = 2e-4
"""Share of the size of all by which numbers that a network gave may differ from those that it gave
before: sums in float32, in another order."""


@dataclass(frozen=True)
class Finding:
    """One part of a verification.

    Attributes
    ----------
    name : what was checked.
    passed : whether it is as it should be; None where it could not be checked.
    said : by how much, or why not.
    """

    name: str
    passed: bool | None
    said: str

    def __str__(self) -> str:
        verdict = {True: "pass", False: "FAIL", None: "not checked"}[self.passed]
        return f"{verdict}: {self.name}" + (f": {self.said}" if self.said else "")


def deviation(
    made: Numbers, stored: Numbers, every: Numbers | None = None, least: float = 0.0
) -> Numbers:
    """Return by how much numbers differ, as a share of the root mean square of all.

    What is unknown (NaN) has to be unknown in both.

    Parameters
    ----------
    every : all numbers, of which `stored` are some; None are these.
    least : that the root mean square is taken to be.
    """
    every = stored if every is None else every
    known = every[np.isfinite(every)]
    size = max(least, float(np.sqrt((known**2).mean())) if known.size else 0.0)
    off = np.where(np.isnan(made) & np.isnan(stored), 0.0, np.abs(made - stored))
    off = np.where(np.isnan(off), np.inf, off)
    return off / size if size > 0 else np.where(off > 0, np.inf, 0.0)
