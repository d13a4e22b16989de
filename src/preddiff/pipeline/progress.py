"""How far the work is, with the time left."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from preddiff.results.explanation import percent

_FIRST, _LAST = 5.0, 60.0  # seconds between two lines in a log: more and more

Report = Callable[[int, int, float | None], None]
"""Told the visits to windows that are done, how many there will be, and the relative error."""


@contextmanager
def bar(description: str) -> Iterator[Report]:
    """A function that is told how far the work is.

    On terminals it moves a bar; elsewhere, in a log, it says a line now and then, soon the first
    and later one a minute.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _log()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("windows,"),
        TimeRemainingColumn(),
        TextColumn("left{task.fields[error]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(description, total=None, error="")
        yield lambda done, of, error: progress.update(
            task, completed=done, total=of, error=_told(error)
        )


def _log() -> Report:
    begin = said = time.monotonic()
    wait = _FIRST
    before: int | None = None  # done in an earlier run

    def report(done: int, of: int, error: float | None) -> None:
        nonlocal begin, said, wait, before
        now = time.monotonic()
        if before is None:
            begin, before = now, done
        elif now - said >= wait:
            left = duration((now - begin) / (done - before) * (of - done))
            say(f"{done:,} of {of:,} windows, about {left} left{_told(error)}")
            said, wait = now, min(2 * wait, _LAST)

    return report


def _told(error: float | None) -> str:
    """The relative error as the end of a line."""
    if error is None or not math.isfinite(error):
        return ""
    return f", relative error {percent(error)}"


def say(text: str) -> None:
    """A line beside the bar, on standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


def duration(seconds: float) -> str:
    """Seconds as a person says them: 40 s, 4.5 min, 1.2 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
