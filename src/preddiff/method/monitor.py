"""Monitor: what happens while an analysis runs.

Unfinished work is kept, progress reported, the map shown, and the analysis stopped as soon as the
map is precise enough.
"""

import math
import time
from collections.abc import Callable

from preddiff.method.estimates import CurrentEstimates, Estimates

_FIRST_CHECK_VISITS = 64
_CHECK_GROWTH = 1.05
_SECONDS_BETWEEN_MAPS = 1.0


class Monitor:
    """Called after each chunk of an analysis; returns whether it is to stop.

    Parameters
    ----------
    tolerance : relative error below which to stop; None never stops.
    report : called with the visits done, how many there will be as far as is known now, and the
        relative error, or None where it is not known.
    keep : called after every chunk.
    show : called with the estimates so far about once a second; where it returns true, the
        analysis stops. None shows nothing.
    visits : number of visits done in earlier, interrupted runs.
    measured : compute the relative error on the way even if there is no tolerance. With hundreds
        of targets that takes longer than the evaluations.
    probable : with a tolerance, the visits that are reported while no error is known.
    interrupted : asked after every chunk; where it returns true, the analysis stops.

    Attributes
    ----------
    error : relative error when it was last computed; None before. Infinite while parts of the map
        have no value, which neither stops a run nor raises.
    stopped : whether somebody stopped the analysis before its end.
    """

    def __init__(
        self,
        tolerance: float | None,
        report: Callable[[int, int, float | None], None],
        keep: Callable[[], None],
        show: Callable[[Estimates], bool | None] | None,
        visits: int = 0,
        *,
        measured: bool,
        interrupted: Callable[[], bool] = lambda: False,
        probable: int | None = None,
    ) -> None:
        self.tolerance = tolerance
        self.error: float | None = None
        self.stopped = False
        self._report = report
        self._keep = keep
        self._show = show
        self._interrupted = interrupted
        self._probable = probable
        self._measured = measured or tolerance is not None
        self._next_check = _next_check_after(visits)
        self._next_show = 0.0

    def __call__(self, current: CurrentEstimates, visits: int, total: int) -> bool:
        """Keep, check, report and show the work so far; return whether to stop."""
        self._keep()
        # Checks fall on numbers of visits, not on times: a run of the same seed then stops at the
        # same window on every machine.
        if self._measured and visits >= self._next_check:
            self.error = current().relative_error()
            self._next_check = _next_check_after(visits)
        self._report(visits, self._expected_visits(visits, total), self.error)
        asked = self._is_stopped(current) or self._interrupted()
        self.stopped = asked and visits < total and not self._is_precise()
        return asked or self._is_precise()

    def _expected_visits(self, visits: int, total: int) -> int:
        # The standard error of a mean falls with the square root of the number of draws: for a
        # relative error e to fall to the tolerance t takes (e / t)² times the work done so far.
        if self.tolerance is None:
            return total
        if self.error is None or not math.isfinite(self.error):
            return total if self._probable is None else min(total, max(self._probable, 2 * visits))
        return min(total, math.ceil(visits * max(1.0, (self.error / self.tolerance) ** 2)))

    def _is_precise(self) -> bool:
        return self.tolerance is not None and self.error is not None and self.error < self.tolerance

    def _is_stopped(self, current: CurrentEstimates) -> bool:
        """Show the map, if the last time was a second ago; return whether its viewer says stop."""
        if self._show is None or time.monotonic() < self._next_show:
            return False
        stopped = bool(self._show(current()))
        self._next_show = time.monotonic() + _SECONDS_BETWEEN_MAPS
        return stopped


def _next_check_after(visits: int) -> int:
    """Return when to compute the error next.

    Steps are 64 visits, and later a twentieth of all visits so far: checks then cost little beside
    the draws, and a run goes on by no more than 5 % of its work after it is precise enough. The
    sequence always starts from 64, wherever a resumed run begins: interrupted or not, it is checked
    at the same visits.
    """
    check = _FIRST_CHECK_VISITS
    while check <= visits:
        check = max(check + _FIRST_CHECK_VISITS, int(_CHECK_GROWTH * check))
    return check
