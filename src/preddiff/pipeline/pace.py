"""The pace of runs: how long a draw took in an earlier run, and how many draws a map took.

They make forecasts of short runs, of which nothing is worth timing, and better ones of runs that
stop by a tolerance. No number of a result depends on them.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from preddiff.media import kept
from preddiff.method.analysis import AfterChunk
from preddiff.method.estimates import CurrentEstimates, Estimates

# Draws after which the map of a picture of 224 pixels by windows of 10 has an error of 10 %:
# errors fall with their square root.
_DRAWS_FOR_A_TENTH = 45_000.0
_LEAST_DRAWS = 256  # of a run whose pace says something: the first ones are slow
_SECONDS, _TENTH = "seconds_per_draw", "draws_for_a_tenth"


@dataclass(frozen=True)
class Pace:
    """Time and draws that earlier runs of one kind took.

    Attributes
    ----------
    seconds_per_draw : the last one's, with the sampler's share of them; None where there was none.
    draws_for_a_tenth : draws after which the error of a map is a tenth of it, of the mean of runs.
    """

    seconds_per_draw: float | None = None
    draws_for_a_tenth: float = _DRAWS_FOR_A_TENTH

    @classmethod
    def of(cls, about: Mapping[str, object]) -> "Pace":
        """Return the pace of earlier runs.

        Parameters
        ----------
        about : names and values that say what the runs have in common.
        """
        facts = kept.read(about)
        seconds, tenth = (facts.get(name) for name in (_SECONDS, _TENTH))
        return cls(
            seconds if _is_positive(seconds) else None,
            tenth if _is_positive(tenth) else _DRAWS_FOR_A_TENTH,
        )

    def keep(self, about: Mapping[str, object]) -> None:
        """Keep it for later runs."""
        kept.write(about, {_SECONDS: self.seconds_per_draw, _TENTH: self.draws_for_a_tenth})


class Stopwatch:
    """The time of a run, without that in which it shows its map, or is paused.

    Parameters
    ----------
    after_chunk : called after each chunk, off the clock.
    draws : made by an earlier run.
    """

    def __init__(self, after_chunk: AfterChunk, draws: int) -> None:
        self._after_chunk = after_chunk
        self._draws = draws
        self._begin = time.perf_counter()

    def __call__(self, current: CurrentEstimates, visits: int, total: int) -> bool:
        """Return whether to stop."""
        stopped = time.perf_counter()
        answer = self._after_chunk(current, visits, total)
        self._begin += time.perf_counter() - stopped
        return answer

    def pace(self, before: Pace, estimates: Estimates, *, by_error: bool) -> Pace | None:
        """Return the pace with that of the run that ends now; None where it says nothing.

        Parameters
        ----------
        before : that of earlier runs.
        by_error : whether the run was made to get an error below a tolerance.
        """
        seconds = time.perf_counter() - self._begin
        draws = estimates.draws - self._draws
        if draws < _LEAST_DRAWS or not seconds > 0:
            return None
        tenth = before.draws_for_a_tenth
        if by_error:
            found = estimates.draws * (estimates.relative_error() / 0.1) ** 2
            # Pictures differ by a factor of two either way: the last does not count for all.
            tenth = math.sqrt(tenth * found) if _is_positive(found) else tenth
        return Pace(seconds / draws, tenth)


def _is_positive(value: object) -> TypeGuard[float]:
    return isinstance(value, float) and 0 < value < math.inf
