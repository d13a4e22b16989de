"""Many inputs of `preddiff explain`: one after the other, with one summary of them all.

With a cluster several are in work at a time; they are written in order all the same.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from preddiff.cli.destinations import with_ending
from preddiff.cli.gathered import said_once
from preddiff.cli.one_input import (
    Errand,
    Explained,
    Unwritten,
    compute,
    draws_path,
    explain_input,
    unfinished_path,
    write,
)
from preddiff.cli.terminal import echo
from preddiff.errors import PreddiffError, ResultError, first_line

if TYPE_CHECKING:
    from preddiff.media.listing import Listed
    from preddiff.results.summary import SummaryRow

    Explains = Callable[[], list[SummaryRow] | Explained | Unwritten]

_LONG = 10.0  # seconds after which the time left is worth a word
_SECONDS_BETWEEN_SUMMARIES = 10.0  # of thousands of inputs, each takes a while to write


def explain_inputs(errand: Errand, inputs: "Sequence[Listed]", summary: Path) -> int:
    """Explain inputs, and write their results and a summary; return the exit status.

    An input that fails is reported, and the others go on; a result that cannot be written ends the
    run, as the next one could not be, either.
    """
    from preddiff.samplers.load import KnownSamplers, loaded_once

    work = _Batch(errand, inputs, summary)
    try:
        with loaded_once(KnownSamplers()), said_once():
            return work.run()
    finally:
        work.write_summary()


class _Batch:
    """The work on many inputs.

    Attributes
    ----------
    done : rows of each input by now.
    """

    def __init__(self, errand: Errand, inputs: "Sequence[Listed]", summary: Path) -> None:
        self.errand, self.inputs, self.summary = errand, inputs, summary
        self.done: list[list[SummaryRow]] = []
        self._begun = self._written = time.monotonic()

    def run(self) -> int:
        """Explain every input; return the exit status."""
        for number, (given, explained) in enumerate(self._explained(), start=1):
            echo(f"{number} of {len(self.inputs)} · {given.path.name}{self._left()}", err=True)
            rows, status = self._finished(given, explained)
            self.done.append(rows)
            if status:
                return status
            if time.monotonic() - self._written > _SECONDS_BETWEEN_SUMMARIES:
                self.write_summary()
        return self._report()

    def _left(self) -> str:
        """Return how long the others take at the pace of those that are done; at first, nothing."""
        from preddiff.pipeline.progress import duration

        taken = time.monotonic() - self._begun
        if not self.done or taken < _LONG:
            return ""
        left = len(self.inputs) - len(self.done)
        return f", about {duration(taken / len(self.done) * left)} left"

    def _in_time(self) -> "Iterator[Listed]":
        """Yield the inputs until the time is up."""
        for given in self.inputs:
            if self.errand.is_over:
                return
            yield given

    def _explained(self) -> "Iterator[tuple[Listed, Explains]]":
        """Yield inputs, and what explains each or waits for that: with a cluster, several begin."""
        if self.errand.client is None:
            for given in self._in_time():
                yield given, partial(self._explain, given)
            return
        from preddiff.pipeline.ahead import MOST_AT_ONCE, ahead
        from preddiff.pipeline.cluster.workers import workers_of
        from preddiff.pipeline.interruption import interruptible

        with interruptible(), workers_of(self.errand.client).sharing_out(MOST_AT_ONCE) as at_once:
            found = ahead(self._compute, self._in_time(), at_once)
            yield from zip(self.inputs, found, strict=False)  # the time may be up before the end

    def _explain(self, given: "Listed") -> "list[SummaryRow] | Explained":
        """Explain an input, unless an earlier run did."""
        return self._kept(given) or explain_input(self.errand, given)

    def _compute(self, given: "Listed") -> "list[SummaryRow] | Unwritten":
        """Explain an input, unless an earlier run did; the result is not written yet."""
        return self._kept(given) or compute(self.errand, given, progress=False)

    def _finished(self, given: "Listed", explains: "Explains") -> "tuple[list[SummaryRow], int]":
        """Return the rows of an input, and the exit status if a signal came."""
        from preddiff.results import summary

        name = str(given.path)
        try:
            found = explains()
            if isinstance(found, list):
                echo("finished before", err=True)
                return found, 0
            if isinstance(found, Unwritten):
                found = write(self.errand, given, found)
        except ResultError:
            raise
        except Exception as error:
            # Also what is no mistake of the user's: nobody is there at night to start it again.
            said = str(error) if isinstance(error, PreddiffError) else _named(error)
            echo(f"preddiff: {said}", err=True)
            return [summary.SummaryRow(name, given.name, summary.FAILED, error=said)], 0
        rows = [
            row
            for explanation, saved in zip(found.explanations, found.saved, strict=True)
            for row in summary.rows_of_result(name, given.name, explanation, self._relative(saved))
        ]
        return rows, found.status

    def _kept(self, given: "Listed") -> "list[SummaryRow] | None":
        """Return the rows of a result that an earlier run finished; None if there is none."""
        from preddiff.pipeline.finished import finished
        from preddiff.results import summary

        errand, result = self.errand, self.errand.output / given.name
        if not errand.resume or unfinished_path(result).exists():
            return None
        saved = with_ending(result, ".zarr")
        found = finished(
            saved, errand.models[0], given.path, draws=draws_path(result), **errand.of_one(given)
        )
        if found is None:
            return None
        return summary.rows_of_result(str(given.path), given.name, found, self._relative(saved))

    def _relative(self, saved: Path) -> str:
        return Path(os.path.relpath(saved, self.summary.parent)).as_posix()

    def write_summary(self) -> None:
        """Write the rows of all inputs, of which those that have not come are not begun."""
        from preddiff.results import summary

        left = self.inputs[len(self.done) :]
        rows = [row for each in self.done for row in each]
        rows += [summary.SummaryRow(str(g.path), g.name, summary.NOT_BEGUN) for g in left]
        summary.write(rows, self.summary)
        self._written = time.monotonic()

    def _report(self) -> int:
        """Print how many failed; return the exit status."""
        from preddiff.results.summary import FAILED, PARTIAL

        failed = sum(rows[0].state == FAILED for rows in self.done)
        left = len(self.inputs) - len(self.done)
        partial = sum(rows[0].state == PARTIAL for rows in self.done)
        if left or partial:
            said = f"the time is up, {left} of {len(self.inputs)} inputs are not begun"
            echo(f"preddiff: {said}; the same command with --resume goes on", err=True)
        if failed:
            echo(
                f"preddiff: {failed} of {len(self.inputs)} inputs failed, see the summary", err=True
            )
        echo(self.summary)
        return int(failed > 0)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"
