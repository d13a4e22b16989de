"""Algorithm 1 of the paper: windows × draws → evidence and its standard error.

Knows neither samplers nor networks, only what evaluates chunks of windows. Letters of axes:
t target, w window, s draw.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from preddiff.method.chunks import Chunk, Evaluates, in_order
from preddiff.method.estimates import CurrentEstimates, Estimates
from preddiff.method.measures import Measure
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows
from preddiff.types import Evidence, PerTarget

Expect = Callable[[Windows], tuple[Evidence, Evidence]]
"""Windows → mean over all possible draws, and its standard error, both (t, w)."""


AfterChunk = Callable[[CurrentEstimates, int, int], bool]
"""Called after each chunk with a function that returns the current estimates, the number of visits
done, and the number of all; where it returns true, the analysis stops."""


def never_stop(current: CurrentEstimates, visits: int, total: int) -> bool:  # noqa: ARG001
    """Return False after every chunk: the analysis runs to its end."""
    return False


class Schedule(Protocol):
    """The order in which windows are visited, and how many draws a visit takes."""

    def __len__(self) -> int:
        """Return the number of visits of the whole analysis."""

    def next(self, means: RunningMeans, current: CurrentEstimates, ahead: int = 0) -> Chunk | None:
        """Return what to visit next, given what was evaluated by now; None at the end.

        Parameters
        ----------
        ahead : visits that are begun, but not evaluated yet; None is also returned where what comes
            after them depends on their values.
        """


def analyse(
    windows: Windows,
    evaluation: Evaluates,
    base: PerTarget,
    measure: Measure,
    schedule: Schedule,
    means: RunningMeans,
    *,
    unbiased: bool = False,
    after_chunk: AfterChunk = never_stop,
) -> Estimates:
    """Return the evidence of every window for every target (Algorithm 1).

    Parameters
    ----------
    base : (t,), the targets' values on the unperturbed input.
    means : of an interrupted analysis, which is then continued, or empty ones. They are changed in
        place.
    unbiased : subtract the bias that the evidence has because it is taken of a mean of few draws.
    after_chunk : called after each chunk; where it returns true, the analysis stops.
    """

    def current() -> Estimates:
        return _estimates(windows, base, measure, means, unbiased)

    def following(ahead: int) -> Chunk | None:
        return schedule.next(means, current, ahead)

    for chunk, values in in_order(following, evaluation):
        means.add(chunk.which, values.transpose(2, 0, 1))
        if after_chunk(current, means.visits, len(schedule)):
            break
    return current()


def analyse_in_closed_form(
    windows: Windows, expect: Expect, base: PerTarget, measure: Measure
) -> Estimates:
    """Return the evidence of every window from exact expectations, without a draw.

    Parameters
    ----------
    base : (t,), the targets' values on the unperturbed input.
    """
    mean, mean_error = expect(windows)
    evidence, error = measure(base[:, None], mean, mean_error)
    taken = measure.taken(base[:, None], mean, evidence)
    every, bias = np.arange(len(windows)), np.zeros_like(evidence)
    return Estimates(windows, every, evidence, error, bias, draws=0, taken=taken)


def _estimates(
    windows: Windows, base: PerTarget, measure: Measure, means: RunningMeans, unbiased: bool
) -> Estimates:
    # The mean over draws comes first and the (nonlinear) measure second, as in Algorithm 1: the
    # evidence of a window is that of the mean prediction, not the mean of the draws' evidence.
    visited = np.flatnonzero(means.groups)
    mean, error = means.mean_and_error(visited)
    evidence, evidence_error = measure(base[:, None], mean, error)
    bias = measure.bias(mean, evidence_error) if unbiased else np.zeros_like(evidence)
    taken = measure.taken(base[:, None], mean, evidence)
    draws = int(means.groups.sum()) * means.size
    return Estimates(
        windows,
        visited,
        evidence - bias,
        evidence_error,
        bias,
        draws,
        taken,
        groups=means.groups[visited],
    )
