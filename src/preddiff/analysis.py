"""Algorithm 1: windows × draws → evidence and its standard error.

Knows only protocols: what draws and what evaluates are handed in. Axis names: t target,
w window, s draw.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from preddiff.evidence import Measure, mean_and_error
from preddiff.windows import Windows

Floats = NDArray[np.float64]
Draw = Callable[[Windows], NDArray[np.float32]]
"""Windows → draws (w, s, channel, *size)."""
Evaluate = Callable[[NDArray[np.int64], NDArray[np.float32]], Floats]
"""Corners (n, dimension) and draws (n, channel, *size) → values (n, t)."""
Report = Callable[[int, int], None]
"""Told how many windows are done, and of how many, after each chunk."""
Done = tuple[Floats, Floats]
"""Evidence and its standard error, both (t, w), of the first windows."""


def analyse(
    windows: Windows,
    draw: Draw,
    evaluate: Evaluate,
    base: Floats,
    measure: Measure,
    *,
    population: int | None = None,
    chunk: int = 16,
    report: Report = lambda _done, _of: None,
    done: Done | None = None,
    keep: Callable[[Floats, Floats], None] = lambda _evidence, _error: None,
) -> Done:
    """Evidence of every window for every target.

    Parameters
    ----------
    base : (t,), the targets' values on the unperturbed input.
    population : how many different draws a window has, None if unlimited.
    chunk : windows whose draws are held at once; changes no result.
    done : what an earlier call kept; the analysis goes on behind it.
    keep : given the evidence and errors of the windows done so far, after each chunk.

    Returns
    -------
    evidence and its standard error, both (t, w).
    """
    evidence = np.empty((len(base), len(windows)))
    error = np.empty_like(evidence)
    begin = 0
    if done is not None:
        begin = done[0].shape[1]
        evidence[:, :begin], error[:, :begin] = done
    for first in range(begin, len(windows), chunk):
        which = np.arange(first, min(first + chunk, len(windows)))
        part = windows.subset(which)
        values = _values(part, draw(part), evaluate)
        evidence[:, which], error[:, which] = measure(
            base[:, None], *mean_and_error(values, population)
        )
        finished = int(which[-1]) + 1
        keep(evidence[:, :finished], error[:, :finished])
        report(finished, len(windows))
    return evidence, error


def _values(windows: Windows, draws: NDArray[np.float32], evaluate: Evaluate) -> Floats:
    """Values (t, w, s) of the targets with each window replaced by each of its draws."""
    samples = draws.shape[1]
    starts = np.repeat(windows.starts, samples, axis=0)
    values = evaluate(starts, draws.reshape(-1, *draws.shape[2:]))
    return values.reshape(len(windows), samples, -1).transpose(2, 0, 1)
