"""Runs in which random sets of windows are hidden together."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from preddiff.engines.dense import Dense
from preddiff.errors import ResultError
from preddiff.method.analysis import AfterChunk
from preddiff.method.chunks import Chunk, in_order
from preddiff.method.estimates import Estimates
from preddiff.method.regions import Regions
from preddiff.method.running_means import RunningMeans
from preddiff.method.sets import GROUP, SetDesign, SetEvidence, SetNumbers
from preddiff.method.shares import shares
from preddiff.models import Model
from preddiff.pipeline import progress
from preddiff.pipeline.run_of_draws import RunOfDraws
from preddiff.samplers.base import fill, hide
from preddiff.types import Batch, Values

PASSES_WORTH_EXPORTING = 200
"""Whole passes for which a faster runtime is looked for: an export takes as long as a hundred."""

_FORECAST_SETS = 4  # that are timed,
_PASSES_PER_TIMED = 20  # and no more than one pass for so many of the work


@dataclass(frozen=True, eq=False, kw_only=True)
class RunOfSets(RunOfDraws):
    """Evidence of windows from random sets of them (`method/sets.py`).

    The running means are over the draws of each set: their windows are the sets.

    Attributes
    ----------
    design : the sets.
    batch : inputs evaluated at once by what began the work; None lets the memory say.
    runtime : that evaluated them; None takes the fastest at hand.
    """

    design: SetDesign
    batch: int | None = None
    runtime: str | None = None

    preparing = "Preparing the network…"
    probable_visits = None

    @cached_property
    def facts(self) -> Mapping[str, str | float]:
        """The engine, what runs the network, and its precision."""
        if self._sent is not None:
            return self._sent.facts()
        engine = self._engine
        runtime = {} if engine.model.runtime is None else {"runtime": engine.model.runtime}
        return {
            "engine": engine.name,
            "precision": "float32",
            "batch": engine.batch,
            **runtime,
        }

    def begin(self) -> RunningMeans:
        """Return the running means of a run that has not begun."""
        return RunningMeans.empty(
            len(self.targets), len(self.design), self.sampler.group, self.sampler.population
        )

    def going_on(self, engine: Mapping[str, str | float], *, finished: bool) -> Self:
        """Return the run that continues what was begun, or done to the end."""
        run = replace(
            self,
            finished=finished,
            batch=int(engine.get("batch", 0)) or None,
            runtime=str(engine.get("runtime", "torch")),
        )
        # Another library would round what is left in another way.
        for name in ("engine", "runtime"):
            earlier, now = engine.get(name, "torch"), run.facts.get(name, "torch")
            if earlier != now:
                raise ResultError(
                    f"the unfinished work was done by {earlier} ({name}), this would be by {now}: "
                    f"install or choose {earlier}, or remove it"
                )
        return run

    def by(self, engine: Mapping[str, str | float]) -> Self:
        """Return the run by an engine that was chosen elsewhere."""
        return self.going_on(engine, finished=False)

    def forecast(self) -> str:
        """Return draws and time, from a few sets; of few, no time."""
        work = (
            f"{len(self.design):,} sets of {self.parts} × {self.samples} draw"
            f"{'s' * (self.samples > 1)}"
        )
        seconds = self.seconds() if self._sent is None else self._sent.seconds(self.facts)
        if seconds is None:
            return work
        tolerance = self.work.tolerance
        how_long = (
            f", about {progress.duration(seconds)}"
            if tolerance is None
            else f". {progress.until(tolerance, None, seconds)}"
        )
        return f"{work}{how_long}"

    def seconds(self) -> float | None:
        """Return the seconds that all sets take here, from a few; None of few."""
        if len(self.design) < _PASSES_PER_TIMED * _FORECAST_SETS:
            return None
        inputs = np.concatenate([self._filled(number) for number in range(_FORECAST_SETS)])
        self._engine.evaluate_whole(inputs[:1])  # the first pass of a network is slow
        started = time.perf_counter()
        for number in range(_FORECAST_SETS):
            self._filled(number)
        self._engine.evaluate_whole(inputs)
        return (time.perf_counter() - started) / _FORECAST_SETS * len(self.design)

    def evidence(self, means: RunningMeans, after_chunk: AfterChunk) -> Estimates:
        """Return the evidence of the windows, going on from running means over sets."""

        def current() -> Estimates:
            return self._estimates(means)

        total = len(self.design)

        def following(ahead: int) -> Chunk | None:
            first = total if self.finished else means.visits + ahead
            return (
                Chunk(np.arange(first, first + GROUP), 0, self.samples) if first < total else None
            )

        for chunk, values in in_order(following, self._evaluation):
            means.add(chunk.which, values.transpose(2, 0, 1))
            if after_chunk(current, means.visits, total):
                break
        return current()

    def values(self, chunk: Chunk) -> Values:
        """Return the values of the targets for each draw of some sets, (set, draw, target)."""
        return self._values(chunk.which, self._engine)

    def evidence_of(self, numbers: SetNumbers) -> SetEvidence:
        """Return the evidence (target, set) of some of the sets, whatever runs the others."""
        means = self.begin()
        values = self._values(numbers, self._dense(self.subject.model))
        means.add(numbers, values.transpose(2, 0, 1))
        return self._of_sets(means, numbers)

    def _values(self, numbers: SetNumbers, engine: Dense) -> Values:
        inputs = np.concatenate([self._filled(number) for number in numbers.tolist()])
        return engine.evaluate_whole(inputs).reshape(len(numbers), self.samples, -1)

    def _of_sets(self, means: RunningMeans, numbers: SetNumbers) -> SetEvidence:
        mean, error = means.mean_and_error(numbers)
        return self.measure(self.base[:, None], mean, error)[0]

    @property
    def parts(self) -> str:
        """The word for what is hidden."""
        return "regions" if isinstance(self.design.windows, Regions) else "windows"

    @cached_property
    def _engine(self) -> Dense:
        model = self.subject.model
        if len(self.design) * self.samples >= PASSES_WORTH_EXPORTING:
            model = model.faster(self.subject.inputs, self.subject.node, self.runtime)
        return self._dense(model)

    def _dense(self, model: Model) -> Dense:
        subject, memory = self.subject, self.work.memory
        return Dense(model, subject.inputs, self.targets, subject.node, self.batch, memory)

    def _filled(self, number: int) -> Batch:
        """Return the input with a set hidden, once for each draw."""
        windows = self.design.windows_of(number)
        if not len(windows):
            return np.repeat(self.subject.inputs[None], self.samples, axis=0)
        # A stream of its own for every set: draws do not depend on which others were taken before.
        seeds = np.random.SeedSequence((self.design.seed, number))
        seed = int(seeds.generate_state(1, np.uint64)[0]) >> 1
        inputs, valid = self.subject.inputs, self.subject.valid
        if isinstance(windows, Regions):
            hidden = windows.covered
            return hide(self.sampler, inputs, hidden, self.samples, seed, valid)
        return fill(self.sampler, inputs, windows, self.samples, seed, valid)

    def _estimates(self, means: RunningMeans) -> Estimates:
        numbers = np.flatnonzero(means.groups)
        mean, _ = means.mean_and_error(numbers)
        of_sets = self._of_sets(means, numbers)
        known = shares(self.design, numbers, of_sets)
        return Estimates(
            self.design.windows,
            known.known,
            known.evidence,
            known.error,
            np.zeros_like(known.evidence),
            draws=int(means.groups.sum()) * means.size,
            taken=self.measure.taken(self.base[:, None], mean, of_sets),
            of_sets=of_sets,
            shares=known,
        )
