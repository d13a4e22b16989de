"""What happens while an analysis runs: it is kept, shown, and stopped when it is precise enough."""

import math
import time
from collections.abc import Callable

from preddiff.method import uncertainty as partial
from preddiff.method.analysis import Findings, Look

_GROWTH = 1.05  # from one look at the error to the next, in visits
_EARLIEST = 64  # visits
_SECONDS = 1.0  # between two maps for a callback, at least


class Watch:
    """Called after each chunk of an analysis with a function that says what is known.

    Parameters
    ----------
    tolerance : relative error at which to stop; None never stops.
    report : told the visits done, how many there will be by what is known now, and the relative
        error, if it is known.
    keep : called after every chunk.
    show : given the findings so far, about once a second; where it returns true, the analysis
        stops. None shows nothing.
    visits : those that were done before.
    measured : whether the relative error is found on the way even if no tolerance asks for it; of
        hundreds of targets that takes longer than their values.
    """

    def __init__(
        self,
        tolerance: float | None,
        report: Callable[[int, int, float | None], None],
        keep: Callable[[], None],
        show: Callable[[Findings], bool | None] | None,
        visits: int = 0,
        *,
        measured: bool,
    ) -> None:
        self.tolerance = tolerance
        self.error: float | None = None
        self._report = report
        self._keep = keep
        self._show = show
        self._measured = measured or tolerance is not None
        self._next_look = _look_after(visits)
        self._next_show = 0.0

    def __call__(self, look: Look, visits: int, of: int) -> bool:
        self._keep()
        # By visits, not by time: so the same run stops at the same one.
        if self._measured and visits >= self._next_look:
            self.error = relative_error(look())
            self._next_look = _look_after(visits)
        self._report(visits, self._foreseen(visits, of), self.error)
        return self._is_stopped(look) or self._is_precise()

    def _foreseen(self, visits: int, of: int) -> int:
        """Visits in all: errors fall with the square root of what was drawn."""
        if self.tolerance is None or self.error is None or not math.isfinite(self.error):
            return of
        return min(of, math.ceil(visits * max(1.0, (self.error / self.tolerance) ** 2)))

    def _is_precise(self) -> bool:
        return self.tolerance is not None and self.error is not None and self.error < self.tolerance

    def _is_stopped(self, look: Look) -> bool:
        """Whether who is shown the map has seen enough."""
        if self._show is None or time.monotonic() < self._next_show:
            return False
        stopped = bool(self._show(look()))
        self._next_show = time.monotonic() + _SECONDS
        return stopped


def _look_after(visits: int) -> int:
    """The next look at the error: always at the same visits, however often a run was resumed."""
    look = _EARLIEST
    while look <= visits:
        look = max(look + _EARLIEST, int(_GROWTH * look))
    return look


def relative_error(findings: Findings) -> float:
    """Of the map so far: root mean square of its error over that of its relevance."""
    return partial.relative_error(*relevance(findings), findings.every.coverage > 0)


def relevance(findings: Findings) -> tuple[partial.Floats, partial.Floats]:
    """The map so far and its standard error, both (t, *shape)."""
    found = findings.every, findings.visited, findings.evidence
    error = partial.standard_error(*found, findings.error, findings.bias)
    return partial.relevance(*found), error
