"""From what a caller says to what is run: everything is checked before the work starts."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preddiff.engines import ClosedForm, Engine, Task, choose
from preddiff.engines.memory import free_memory
from preddiff.errors import InputError, SettingError
from preddiff.method import measures
from preddiff.method.analysis import (
    AfterChunk,
    Schedule,
    analyse,
    analyse_in_closed_form,
    never_stop,
)
from preddiff.method.estimates import Estimates
from preddiff.method.evidence import IMAGENET_TRAIN_SIZE, mean_and_error
from preddiff.method.measures import Measure
from preddiff.method.running_means import RunningMeans
from preddiff.method.schedule import Adaptive, Interlaced
from preddiff.method.windows import Windows
from preddiff.models import Linear, Model, targets
from preddiff.pipeline import subject as subjects
from preddiff.pipeline.settings import Picture, Settings
from preddiff.pipeline.subject import Subject
from preddiff.samplers import Sampler
from preddiff.samplers import load as samplers
from preddiff.samplers.base import Projected

_FIRST = 4  # draws of a window in the first round of a run with a tolerance: two pairs
_HELD = 2560  # draws that are held at once
_LOOKS = 64  # chunks of a run, at least, if they are not of fewer windows than these:
_FEWEST = 16
_TRIED = 16, 8  # windows that engines are tried on, and draws of each


@dataclass(frozen=True, eq=False)
class Plan:
    """What is run.

    Attributes
    ----------
    subject : the model and its input.
    samples : draws per window, no more than the sampler has different ones; 0 in closed form.
    targets : numbers of classes or channels.
    base : (target,), their values on the unperturbed input.
    wish : what a caller said.
    closed_form : the engine that needs no draws, where there is one.
    facts : the settings as a result's provenance says them.
    """

    subject: Subject
    windows: Windows
    sampler: Sampler
    samples: int
    seed: int
    targets: list[int]
    base: NDArray[np.float64]
    measure: Measure
    wish: Settings
    closed_form: ClosedForm | None
    facts: dict[str, Any]

    @property
    def tolerance(self) -> float | None:
        """Relative error at which to stop, or None."""
        return self.wish.tolerance

    @property
    def engine(self) -> Engine | ClosedForm:
        """What evaluates windows; chosen when first asked for, as it holds much memory."""
        return self._choice[0]

    @property
    def engine_facts(self) -> dict[str, Any]:
        """What a result's provenance says of the engine; it changes no result but for rounding."""
        return self._choice[1]

    @cached_property
    def _choice(self) -> tuple[Engine | ClosedForm, dict[str, Any]]:
        if self.closed_form is not None:
            return self.closed_form, {"engine": ClosedForm.name, "precision": "float64"}
        chosen = choose(self._task, self.wish.engine, self.wish.precision)
        return chosen.engine, dict(chosen.facts)

    def draw(self, windows: Windows, first: int, last: int) -> NDArray[np.float32]:
        """Draws `first` to `last` (window, draw, channel, *size) for some of the windows."""
        draws = self.sampler.draw(self.subject.inputs, windows, last, self.seed, self.subject.valid)
        return draws[:, first:]

    def run(self, tally: RunningMeans, after: AfterChunk = never_stop) -> Estimates:
        """The analysis, going on from what a tally has; told of after each chunk."""
        if isinstance(self.engine, ClosedForm):
            findings = analyse_in_closed_form(
                self.windows, self.engine.expect, self.base, self.measure
            )
            after(lambda: findings, len(self.windows), len(self.windows))
            return findings
        return analyse(
            self.windows,
            self.draw,
            self.engine.evaluate,
            self.base,
            self.measure,
            self.schedule,
            tally,
            unbiased=self.tolerance is not None,
            after_chunk=after,
        )

    @property
    def new_tally(self) -> RunningMeans:
        """That of a run that has not begun."""
        return RunningMeans.empty(
            len(self.targets), len(self.windows), self.sampler.group, self.sampler.population
        )

    @property
    def some_windows(self) -> Windows:
        """A few from all over the input, to try things on."""
        return self.windows.subset(
            np.linspace(0, len(self.windows) - 1, _TRIED[0]).astype(np.int64)
        )

    @property
    def _task(self) -> Task:
        """What an engine is chosen for."""
        some = self.some_windows

        def evidence(values: NDArray[np.float64]) -> NDArray[np.float64]:
            after, error = mean_and_error(values.transpose(2, 0, 1))
            return self.measure(self.base[:, None], after, error)[0]

        return Task(
            model=self.subject.model,
            inputs=self.subject.inputs,
            targets=self.targets,
            node=self.subject.node,
            size=self.windows.size,
            starts=some.starts,
            draws=self.draw(some, 0, min(self.samples, _TRIED[1])),
            evidence=evidence,
            total=len(self.windows) * self.samples,
            memory=self.wish.memory,
        )

    @property
    def schedule(self) -> Schedule:
        """All draws of a window at once; with a tolerance, few at first, and where needed."""
        several = max(_FEWEST, len(self.windows) // _LOOKS)
        if self.tolerance is None:
            chunk = max(1, min(_HELD // self.samples, several))
            return Interlaced(self.windows, self.samples, chunk)
        rounds = [(0, min(_FIRST, self.samples)), (_FIRST, self.samples)]
        chunk = max(1, min(_HELD // rounds[0][1], several))
        return Adaptive(self.windows, [r for r in rounds if r[0] < r[1]], chunk)

    @property
    def labels(self) -> list[str]:
        """A name for every target."""
        names = self.subject.unit_names
        if names:
            return [names[number] for number in self.targets]
        return targets.names(self.targets, self.subject.labels, self.subject.node)


def make(model: Model, picture: Picture, wish: Settings) -> Plan:
    """The plan, or an error that says which wish cannot be met."""
    wish.check()
    subject = subjects.make(model, picture, wish)
    model, inputs = subject.model, subject.inputs
    windows = _windows(inputs, wish)
    if subject.mask is not None:
        windows = _touching(windows, subject.mask)
    sampler = _sampler(subject, wish)
    if wish.tolerance is not None:
        sampler = _for_tolerance(sampler, wish)
    sampler.check(inputs, windows, subject.valid)
    samples = min(wish.samples, sampler.population or wish.samples)
    values = model.predict(inputs[None], subject.node)[0]
    chosen = _chosen(subject, values, wish)
    measure = _measure(subject, values, wish)
    base = values[chosen]
    closed_form = _closed_form(subject, chosen, sampler, wish)
    samples = samples if closed_form is None else 0
    facts = {
        "model": model.spec,
        "model_sha256": model.sha256 or "",
        "sampler": samplers.sampler_name(wish.sampler),
        "sampler_sha256": sampler.sha256,
        "source": wish.source or "",
        "node": wish.node or "",
        "window": wish.window,
        "margin": wish.margin if isinstance(wish.sampler, str) else "",
        "samples": samples,
        "stride": wish.stride,
        "seed": wish.seed,
        "masked": wish.mask is not None,
        "resampled": wish.resample,
        "tolerance": "" if wish.tolerance is None else wish.tolerance,
        "antithetic": sampler.group == 2,
        **measure.facts,
    }
    return Plan(
        subject=subject,
        windows=windows,
        sampler=sampler,
        samples=samples,
        seed=wish.seed,
        targets=chosen,
        base=base,
        measure=measure,
        wish=wish,
        closed_form=closed_form,
        facts=facts,
    )


def _sampler(subject: Subject, wish: Settings) -> Sampler:
    model = subject.model
    return samplers.load_sampler(
        wish.sampler,
        shape=subject.inputs.shape,
        window=wish.length,
        margin=wish.margin,
        prepare=model.prepare,
        mean=model.mean,
        hidden=wish.source is not None,
    )


def _for_tolerance(sampler: Sampler, wish: Settings) -> Sampler:
    """With antithetic pairs, where the sampler can make them."""
    paired = sampler.paired()
    if paired.population != 1 and (wish.samples < _FIRST or wish.samples % paired.group):
        raise SettingError(
            f"samples={wish.samples}: with a tolerance, errors are told from pairs of draws: "
            f"expected an even number of at least {_FIRST}"
        )
    return paired


def _closed_form(
    subject: Subject, chosen: list[int], sampler: Sampler, wish: Settings
) -> ClosedForm | None:
    """The engine that needs no draws, where there is one for this model and sampler."""
    if wish.engine not in {"auto", "linear"} or wish.precision not in {"auto", "float32"}:
        return None
    model = subject.model
    if not isinstance(model, Linear):
        why = f"{model.spec} is no linear model (models.Linear); choose engine='auto'"
    elif not isinstance(sampler, Projected):
        why = f"{type(sampler).__name__} does not tell the law of its draws; choose engine='auto'"
    elif sampler.is_clipped(subject.valid):
        why = "draws are clipped, of which no closed form is known; take a sampler with clip=False"
    else:
        memory = wish.memory or free_memory() // 4
        return ClosedForm(model, subject.inputs, chosen, subject.node, sampler.project, memory)
    if wish.engine == "linear":
        raise SettingError(f"engine='linear': {why}")
    return None


def _windows(inputs: NDArray[np.float32], wish: Settings) -> Windows:
    try:
        return Windows.over(inputs.shape[1:], wish.length, wish.stride)
    except SettingError:
        if inputs.ndim == 4 and inputs.shape[1] <= 4:
            raise InputError(
                f"an array of shape {inputs.shape} is a volume of {inputs.shape[1]} slices, too "
                f"few for a window of {wish.length}; if it is a batch of one picture, pass array[0]"
            ) from None
        raise


def _touching(windows: Windows, mask: NDArray[np.bool_]) -> Windows:
    if mask.shape != windows.shape:
        raise InputError(
            f"a mask of shape {mask.shape}: expected that of the input as the model sees it, "
            f"{windows.shape}"
        )
    touched = windows.touching(mask)
    if len(touched) == 0:
        raise InputError("no window touches the mask: expected true (white) where it matters")
    return touched


def _chosen(subject: Subject, values: NDArray[np.float64], wish: Settings) -> list[int]:
    if subject.unit_names:
        return list(range(len(subject.unit_names)))
    return targets.resolve(wish.targets, values, subject.labels)


def _measure(subject: Subject, values: NDArray[np.float64], wish: Settings) -> Measure:
    size = wish.train_size if wish.train_size is not None else subject.model.train_size
    size = IMAGENET_TRAIN_SIZE if size is None else size
    of_probabilities = subject.model.is_probability(subject.node)
    measure = measures.resolve(wish.measure, of_probabilities, size, classes=len(values))
    measure.check(values)
    return measure
