"""Algorithm 1: windows × draws → evidence and its standard error.

Knows only protocols: what draws and what evaluates are handed in. Axis names: t target,
w window, s draw.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from preddiff.method.measures import Measure
from preddiff.method.running_means import Tally
from preddiff.method.windows import Windows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Draw = Callable[[Windows, int, int], NDArray[np.float32]]
"""Windows and which draws of each (from, up to) → draws (w, s, channel, *size)."""
Evaluate = Callable[[Integers, NDArray[np.float32]], Floats]
"""Corners (w, dimension) and draws (w, s, channel, *size) → values (w, s, t)."""
Expect = Callable[[Windows], tuple[Floats, Floats]]
"""Windows → mean over all draws that there could be, and its standard error, both (t, w)."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What is known after some visits to windows.

    Attributes
    ----------
    every : all windows that are to be visited.
    visited : numbers of those that were, ascending.
    evidence, error : (t, visited), and its standard error from the draws.
    bias : (t, visited), what was taken off the evidence as its bias.
    draws : how many were evaluated.
    """

    every: Windows
    visited: Integers
    evidence: Floats
    error: Floats
    bias: Floats
    draws: int

    @property
    def windows(self) -> Windows:
        """The windows that were visited."""
        return self.every.subset(self.visited)


Visit = tuple[Integers, int, int]
"""Windows, and which draws of each (from, up to)."""
Look = Callable[[], Findings]
After = Callable[[Look, int, int], bool]
"""Told, after each chunk, a function that says what is known by then, the visits to windows that
are done and how many there are going to be; where it returns true, the analysis stops."""


def go_on(look: Look, visits: int, of: int) -> bool:  # noqa: ARG001
    return False


class Schedule(Protocol):
    """In which order windows are visited, and how many draws a visit takes."""

    def __len__(self) -> int:
        """Visits that there are going to be."""

    def next(self, tally: Tally, look: Look) -> Visit | None:
        """What comes next, given what was counted by now and what is known from it."""


def analyse(
    windows: Windows,
    draw: Draw,
    evaluate: Evaluate,
    base: Floats,
    measure: Measure,
    schedule: Schedule,
    tally: Tally,
    *,
    unbiased: bool = False,
    after: After = go_on,
) -> Findings:
    """Evidence of every window for every target.

    Parameters
    ----------
    base : (t,), the targets' values on the unperturbed input.
    tally : what an earlier call counted, or an empty one; the analysis goes on behind it.
    unbiased : take off the bias that the evidence has from means of few draws.
    after : called after each chunk.
    """

    def look() -> Findings:
        return _findings(windows, base, measure, tally, unbiased)

    while visit := schedule.next(tally, look):
        which, first, last = visit
        part = windows.subset(which)
        values = evaluate(part.starts, draw(part, first, last))
        tally.add(which, values.transpose(2, 0, 1))
        if after(look, tally.visits, len(schedule)):
            break
    return look()


def expected(windows: Windows, expect: Expect, base: Floats, measure: Measure) -> Findings:
    """Evidence of every window where expectations are known without a draw."""
    evidence, error = measure(base[:, None], *expect(windows))
    return Findings(
        windows, np.arange(len(windows)), evidence, error, np.zeros_like(evidence), draws=0
    )


def _findings(
    windows: Windows, base: Floats, measure: Measure, tally: Tally, unbiased: bool
) -> Findings:
    visited = np.flatnonzero(tally.groups)
    mean, error = tally.mean_and_error(visited)
    evidence, evidence_error = measure(base[:, None], mean, error)
    bias = measure.bias(mean, evidence_error) if unbiased else np.zeros_like(evidence)
    draws = int(tally.groups.sum()) * tally.size
    return Findings(windows, visited, evidence - bias, evidence_error, bias, draws)
