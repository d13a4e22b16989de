"""Progress: how far the work is, and the time left."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from preddiff.results.explanation import percent

# A log gets its first line soon, so that nobody waits in doubt, and one a minute in the end, so
# that a run of hours does not fill it.
_FIRST_LINE_AFTER, _LAST_LINES_EVERY = 5.0, 60.0  # seconds

Report = Callable[[int, int, float | None], None]
"""Called with the visits to windows that are done, how many there will be, and the relative
error; None where that is not known."""


@contextmanager
def bar(description: str, counted: str = "windows") -> Iterator[Report]:
    """Yield a function to call with how far the work is.

    `counted` is what the work consists of, in the plural.
    On a terminal it moves a bar; elsewhere, in a log, it prints a line now and then.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _log(counted)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{counted},"),
        TimeRemainingColumn(),
        TextColumn("left{task.fields[error]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(description, total=None, error="")
        yield lambda done, of, error: progress.update(
            task, completed=done, total=of, error=_error_text(error)
        )


def _log(counted: str) -> Report:
    """Return a function that prints a line now and then."""
    begin = said = time.monotonic()
    wait = _FIRST_LINE_AFTER
    before: int | None = None  # done in an earlier run

    def report(done: int, of: int, error: float | None) -> None:
        nonlocal begin, said, wait, before
        now = time.monotonic()
        if before is None:
            begin, before = now, done
        elif now - said >= wait:
            left = duration((now - begin) / (done - before) * (of - done))
            say(f"{done:,} of {of:,} {counted}, about {left} left{_error_text(error)}")
            said, wait = now, min(2 * wait, _LAST_LINES_EVERY)

    return report


@contextmanager
def naming(work: str) -> Iterator[None]:
    """Print what is done if it takes more than a moment: short work says nothing."""
    timer = threading.Timer(_FIRST_LINE_AFTER, say, (f"{work}…",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _error_text(error: float | None) -> str:
    """Return the relative error as the end of a line; nothing where it is not known."""
    if error is None or not math.isfinite(error):
        return ""
    return f", relative error {percent(error)}"


def say(text: str) -> None:
    """Print a line on standard error, above the bar if there is one."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


def until(tolerance: float, probable: float | None, longest: float) -> str:
    """Return how long a run with a tolerance takes, in words.

    Parameters
    ----------
    probable : seconds that it probably takes; None where nothing is known of that.
    longest : seconds that all of its work would take.
    """
    most = f"t most {duration(longest)}"
    first = f"A{most}" if probable is None else f"Probably about {duration(probable)}, a{most}"
    return f"{first}; stops once the relative error is below {percent(tolerance)}"


def duration(seconds: float) -> str:
    """Return seconds as people write them: 40 s, 4.5 min, 1.2 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
