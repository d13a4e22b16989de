"""Runs in which windows are hidden one at a time, by draws."""

import bisect
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from preddiff.engines import Choice, Engine, Task, choose, seconds_per_draw
from preddiff.engines.base import ENGINES, NAME_IN_PROVENANCE, PRECISIONS
from preddiff.engines.choice import by_whole_passes, forget, is_small, usual_seconds
from preddiff.engines.probe import everywhere, probe
from preddiff.errors import EngineWarning, ResultError
from preddiff.method.analysis import AfterChunk, Schedule, analyse
from preddiff.method.chunks import Chunk
from preddiff.method.estimates import Estimates
from preddiff.method.evidence import mean_and_error
from preddiff.method.running_means import RunningMeans
from preddiff.method.schedule import Adaptive, Ended, Interlaced
from preddiff.method.windows import Windows
from preddiff.pipeline import progress
from preddiff.pipeline.pace import Pace, Stopwatch
from preddiff.pipeline.run_of_draws import RunOfDraws
from preddiff.types import Draws, Evidence, Values

FIRST_DRAWS = 4
"""Draws of a window in the first round of a run with a tolerance: two pairs, the fewest that say
anything of their own spread."""

_DRAWS_WORTH_TIMING = 160  # a forecast evaluates up to as many,
_DRAWS_PER_TIMED = 20  # and no more than one for so many of the work
_MAX_DRAWS_HELD = 2560  # draws that a chunk holds at once: some hundred MB for 10×10 windows
_CHUNKS = 64  # chunks of a run, at least: so often is it saved, shown and checked,
_MIN_WINDOWS = 16  # unless they would be of fewer windows than these
_PROBE_WINDOWS, _PROBE_DRAWS = 16, 8  # that engines are tried on
_CHECKED_DRAWS = 2  # of the windows that engines are checked on


@dataclass(frozen=True, eq=False, kw_only=True)
class SampledRun(RunOfDraws):
    """Algorithm 1: means over draws that an engine evaluates.

    Attributes
    ----------
    earlier : name, precision and batch of the engine that began the work, and goes on with it; None
        where nothing was begun.
    """

    windows: Windows
    seed: int
    earlier: Mapping[str, str | float] | None = None

    @property
    def preparing(self) -> str:
        """Words for what is done before the forecast; empty where that takes no time."""
        if is_small(self._most_draws):
            return ""
        subject = self.subject
        seconds = usual_seconds(
            subject.model, subject.inputs.shape, self.windows.size, subject.node
        )
        usual = "" if seconds is None else f", about {progress.duration(seconds)}"
        return f"Checking the engine on a few windows{usual}…"

    @property
    def probable_visits(self) -> int | None:
        """Visits of windows that a run with a tolerance probably takes: in its first round.

        The error is looked at after whole chunks, and known once every pixel has a value.
        """
        tolerance = self.work.tolerance
        if tolerance is None:
            return None
        draws = self._pace.draws_for_a_tenth * (0.1 / tolerance) ** 2
        chunk = self._chunk
        visits = chunk * math.ceil(draws / self._first_draws / chunk)
        return min(len(self._schedule), max(visits, self._visits_until_covered(chunk)))

    def _visits_until_covered(self, chunk: int) -> int:
        """Return after how many visits, in whole chunks, every pixel has a value."""
        # What is covered stays covered: a few of all chunks say where that begins.
        chunks = range(chunk, len(self.windows), chunk)
        first = bisect.bisect_left(chunks, True, key=self._covers_all)
        return chunks[first] if first < len(chunks) else len(self.windows)

    def _covers_all(self, visits: int) -> bool:
        """Return whether so many of the first visits leave no pixel without a value."""
        visited = self.windows.subset(self.windows.interlaced[:visits])
        return np.array_equal(visited.covered, self.windows.covered)

    @property
    def engine(self) -> Engine:
        """The engine that evaluates draws."""
        return self._choice.engine

    @cached_property
    def facts(self) -> Mapping[str, str | float]:
        """The engine, its precision, and the error of a shorter one."""
        return self._choice.facts if self._sent is None else self._sent.facts()

    def by(self, engine: Mapping[str, str | float]) -> Self:
        """Return the run by an engine that was chosen elsewhere."""
        work = replace(self.work, engine="auto", precision="auto")
        return replace(self, earlier=engine, work=work)

    def values(self, chunk: Chunk) -> Values:
        """Return the values of the targets for each draw of some windows, (window, draw, target).

        Raises
        ------
        WrongBoxesError
            If boxes go wrong.
        """
        part = self.windows.subset(chunk.which)
        return self._watched.evaluate(part.starts, self._draw(part, chunk.first, chunk.last))

    @cached_property
    def _watched(self) -> Engine:
        """The engine, held against whole passes on the way where it could be wrong."""
        if self.engine.name != NAME_IN_PROVENANCE["incremental"]:
            return self.engine
        from preddiff.engines.watch import watched

        return watched(self.engine, self._probe.starts, self.seed)

    @cached_property
    def _choice(self) -> Choice:
        # Chosen when first asked for: an engine holds much memory, and what needs memory of its own
        # before the run, such as a gradient, has to be done with it by then.
        if self.earlier is None:
            return choose(self._task, self.work.engine, self.work.precision)
        # In another precision, half of the windows would be rounded in another way than the others.
        engine, precision = str(self.earlier["engine"]), str(self.earlier["precision"])
        may_go_on = self.work.engine in {"auto", engine} and self.work.precision in {
            "auto",
            precision,
        }
        if may_go_on and engine in ENGINES and precision in PRECISIONS:
            batch = int(self.earlier.get("batch", 0)) or None
            runtime = str(self.earlier.get("runtime", "torch"))
            choice = choose(self._task, engine, precision, batch, runtime)
            found = (choice.facts.get(name, "torch") for name in ("engine", "precision", "runtime"))
            if tuple(found) == (engine, precision, runtime):
                return choice
        by = f" by {self.earlier['runtime']}" if "runtime" in self.earlier else ""
        raise ResultError(
            f"the unfinished work was done by the {engine} engine in {precision}{by}; continue "
            "with these (engine, precision), or remove it"
        )

    def going_on(self, engine: Mapping[str, str | float], *, finished: bool) -> Self:
        """Return the run that continues what an engine began, or did to the end."""
        return replace(self, earlier=engine, finished=finished)

    def begin(self) -> RunningMeans:
        """Return the running means of a run that has not begun."""
        return RunningMeans.empty(
            len(self.targets), len(self.windows), self.sampler.group, self.sampler.population
        )

    def forecast(self) -> str:
        """Return draws and time, from a timed batch."""
        draws = self._most_draws
        tolerance = self.work.tolerance
        work = (
            f"{len(self.windows):,} windows × {self.samples} draws = {draws:,} draws"
            f"{'' if tolerance is None else ' at most'} ({self.facts['engine']} engine)"
        )
        seconds = self.seconds() if self._sent is None else self._sent.seconds(self.facts)
        if seconds is None:
            return work
        if tolerance is None:
            return f"{work}, about {progress.duration(seconds)}"
        probable = seconds * self._probable_draws / draws
        return f"{work}. {progress.until(tolerance, probable, seconds)}"

    @property
    def _probable_draws(self) -> int:
        """Draws that the run probably takes."""
        visits, most = self.probable_visits, self._most_draws
        return most if visits is None else min(most, visits * self._first_draws)

    def seconds(self) -> float | None:
        """Return the seconds that all draws take here; None if that is not worth timing."""
        each = self._seconds_per_draw(self._probable_draws)
        return None if each is None else each * self._most_draws

    def _seconds_per_draw(self, draws: int) -> float | None:
        """Return the seconds that one of so many draws takes; None if that is not worth timing.

        A batch is timed where it is a small part of the work. Else it is what draws took in an
        earlier run like this one.
        """
        timed = draws // _DRAWS_PER_TIMED
        if timed < _DRAWS_WORTH_TIMING and self._pace.seconds_per_draw is not None:
            return self._pace.seconds_per_draw
        if draws < _DRAWS_WORTH_TIMING:
            return None
        some = self._probe
        made = self._draw(some, 0, min(self.samples, max(1, timed // len(some))))
        return seconds_per_draw(self.engine, some.starts, made)

    def evidence(self, means: RunningMeans, after_chunk: AfterChunk) -> Estimates:
        """Return the evidence of the windows that were visited.

        A few draws are evaluated by whole passes as well. Where one is off, all that was done is
        thrown away, and done again by whole passes.
        """
        _ = self.facts  # the choice of the engine is no part of the pace
        timed = Stopwatch(after_chunk, int(means.groups.sum()) * means.size)
        estimates = self._checked(means, timed)
        pace = timed.pace(self._pace, estimates, by_error=self.work.tolerance is not None)
        if pace is not None and self.workers is None and self.subject.model.sha256:
            pace.keep(self._about)
        return estimates

    @cached_property
    def _pace(self) -> Pace:
        """The pace of earlier runs of this kind."""
        return Pace.of(self._about) if self.subject.model.sha256 else Pace()

    @property
    def _about(self) -> dict[str, object]:
        """What runs of the same pace have in common."""
        return {
            "model": self.subject.model.spec,
            "weights": self.subject.model.sha256,
            "device": getattr(self.subject.model, "device", "cpu"),
            "node": self.subject.node,
            "input": self.subject.inputs.shape,
            "window": self.windows.size,
            "sampler": self.sampler.sha256,
            "antithetic": self.sampler.group,
            "engine": self.facts["engine"],
            "precision": self.facts["precision"],
            "runtime": self.facts.get("runtime"),
        }

    def _checked(self, means: RunningMeans, after_chunk: AfterChunk) -> Estimates:
        """Return the evidence; boxes are held against whole passes, which replace wrong ones."""
        if self.facts["engine"] != NAME_IN_PROVENANCE["incremental"]:
            return self._analysed(means, after_chunk)
        from preddiff.engines.watch import WrongBoxesError

        try:
            return self._analysed(means, after_chunk)
        except WrongBoxesError as wrong:
            text = f"whole forward passes from the beginning, as {wrong}"
            warnings.warn(EngineWarning(text, wrong.why), stacklevel=2)
        forget(self._task)
        means.clear()
        choice = by_whole_passes(self._task)
        self.__dict__.update(_choice=choice, facts=choice.facts, _watched=choice.engine)
        return self._analysed(means, after_chunk)

    def _analysed(self, means: RunningMeans, after_chunk: AfterChunk) -> Estimates:
        return analyse(
            self.windows,
            self._evaluation,
            self.base,
            self.measure,
            self._schedule,
            means,
            unbiased=self.work.tolerance is not None,
            after_chunk=after_chunk,
        )

    def _draw(self, windows: Windows, first: int, last: int) -> Draws:
        """Return draws `first` to `last` (window, draw, channel, *size) for some of the windows."""
        subject = self.subject
        # Draw s of a window depends on seed, window and s alone, so that the earlier draws, which
        # are drawn again here, are the same as before: the sampler need not remember them.
        draws = self.sampler.draw(subject.inputs, windows, last, self.seed, subject.valid)
        return draws[:, first:]

    @property
    def _most_draws(self) -> int:
        return len(self.windows) * self.samples

    @property
    def _first_draws(self) -> int:
        """Draws of a window's first visit in a run with a tolerance."""
        return min(FIRST_DRAWS, self.samples)

    @property
    def _chunk(self) -> int:
        """Windows that are visited together."""
        windows = max(_MIN_WINDOWS, len(self.windows) // _CHUNKS)
        draws = self.samples if self.work.tolerance is None else self._first_draws
        return max(1, min(_MAX_DRAWS_HELD // draws, windows))

    @property
    def _schedule(self) -> Schedule:
        """All draws of a window at once; with a tolerance, few at first, then where needed."""
        if self.finished:
            return Ended(len(self.windows))
        if self.work.tolerance is None:
            return Interlaced(self.windows, self.samples, self._chunk)
        # Two rounds: every window gets two pairs of draws before any gets its others, so that where
        # the map is least sure is known before most of the work is spent.
        rounds = [(0, self._first_draws), (FIRST_DRAWS, self.samples)]
        return Adaptive(self.windows, [r for r in rounds if r[0] < r[1]], self._chunk)

    @property
    def _probe(self) -> Windows:
        """A few windows from all over the input, to try engines on."""
        return probe(self.windows, _PROBE_WINDOWS)

    @property
    def _task(self) -> Task:
        """The work that an engine is chosen for."""
        some, checked = self._probe, everywhere(self.windows, self.seed)
        return Task(
            model=self.subject.model,
            inputs=self.subject.inputs,
            targets=self.targets,
            node=self.subject.node,
            size=self.windows.size,
            starts=some.starts,
            draws=self._draw(some, 0, min(self.samples, _PROBE_DRAWS)),
            evidence=self._evidence_of,
            total=self._most_draws,
            memory=self.work.memory,
            checked=(checked.starts, self._draw(checked, 0, min(self.samples, _CHECKED_DRAWS))),
        )

    def _evidence_of(self, values: Values) -> Evidence:
        mean, error = mean_and_error(values.transpose(2, 0, 1))
        return self.measure(self.base[:, None], mean, error)[0]
