"""Plan: from a caller's settings to a run; everything is checked before the work starts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from preddiff.errors import InputError, SamplerError, SettingError
from preddiff.method import measures
from preddiff.method.analysis import never_stop
from preddiff.method.evidence import IMAGENET_TRAIN_SIZE, NEARLY_ONE
from preddiff.method.measures import (
    ENOUGH_EXAMPLES,
    ActivationDifference,
    Measure,
    WeightOfEvidence,
)
from preddiff.method.windows import Windows
from preddiff.models import repeatable, targets
from preddiff.pipeline.lengths import Size
from preddiff.pipeline.regions import regions_of
from preddiff.pipeline.run import Run
from preddiff.pipeline.run_of_sets import RunOfSets
from preddiff.pipeline.run_of_windows import FIRST_DRAWS
from preddiff.pipeline.settings import Question, Sampling, Settings
from preddiff.pipeline.stated import facts_of_regions, facts_of_settings
from preddiff.pipeline.subject import Subject
from preddiff.pipeline.way import run_for
from preddiff.samplers import Sampler
from preddiff.samplers import load as samplers
from preddiff.types import Floats, Mask, PerTarget, Pixels, Relevance


@dataclass(frozen=True, eq=False)
class Plan:
    """A run, and everything that its result is about.

    Attributes
    ----------
    subject : the model and its input.
    windows : all that are going to be hidden.
    targets : numbers of classes or channels.
    base : (target,), their values on the unperturbed input.
    run : how the evidence is going to be had.
    facts : the settings as a result's provenance says them.
    """

    subject: Subject
    windows: Windows
    targets: list[int]
    base: PerTarget
    run: Run
    facts: Mapping[str, Any]

    @property
    def labels(self) -> list[str]:
        """A name for every target."""
        return labels_of(self.subject, self.targets)


@dataclass(frozen=True, eq=False)
class Asked:
    """A question to a model, and the draws that it is asked with.

    Attributes
    ----------
    targets : numbers of classes or channels.
    base : (target,), their values on the unperturbed input.
    facts : the settings as a result's provenance says them.
    """

    subject: Subject
    sampler: Sampler
    targets: list[int]
    base: PerTarget
    measure: Measure
    facts: Mapping[str, Any]

    @property
    def sides(self) -> tuple[list[int], PerTarget, Measure]:
        """Targets, their values and the measure: with 1 - p where it would lose its digits."""
        return _sides(self.subject, self.targets, self.base, self.measure)


def labels_of(subject: Subject, chosen: list[int]) -> list[str]:
    """Return a name for every target."""
    if subject.unit_names:
        return [subject.unit_names[number] for number in chosen]
    return targets.names(chosen, subject.labels, subject.noun)


def asked(subject: Subject, settings: Settings, windows: Windows) -> Asked:
    """Return what is asked of a model about windows of its input; everything is checked.

    Raises
    ------
    PreddiffError
        A subclass that says which setting cannot be met, and what to do.
    """
    question, sampling, work = settings.question, settings.sampling, settings.work
    sampler = _sampler(subject, sampling, resample=question.resample)
    if work.tolerance is not None and sampling.sets is None:
        sampler = _paired(sampler, sampling.draws)
    _check_names(sampler, subject)
    sampler.check(subject.inputs, windows, subject.valid)
    repeatable.check(subject.model, subject.inputs, subject.node)
    values = subject.model.predict(subject.inputs[None], subject.node)[0]
    chosen = _chosen(subject, values, question)
    measure = _measure(subject, values, question)
    facts = {**facts_of_settings(subject, sampler, question, sampling, work), **measure.facts}
    return Asked(subject, sampler, chosen, values[chosen], measure, facts)


def make(subject: Subject, settings: Settings, windows: Windows | None = None) -> Plan:
    """Return the plan.

    Parameters
    ----------
    windows : those to hide; None are those that the settings say.

    Raises
    ------
    PreddiffError
        A subclass that says which setting cannot be met, and what to do.
    """
    sampling, work = settings.sampling, settings.work
    if windows is None:
        windows = _windows(subject, settings.question, sampling)
    found = asked(subject, settings, windows)
    run = run_for(subject, windows, found.sampler, *found.sides, sampling, work)
    facts = {
        **found.facts,
        "samples": run.samples,
        "sets": len(run.design) if isinstance(run, RunOfSets) else "",
        **facts_of_regions(windows),
    }
    return Plan(subject, windows, found.targets, found.base, run, facts)


def relevance_with(
    subject: Subject, chosen: list[int], settings: Settings, sampler: Sampler, stride: Size
) -> Relevance:
    """Return the relevance of the same targets with another sampler, one draw a window."""
    # The targets are fixed as numbers: "top1" is of the model, not of what hides a window.
    question = replace(settings.question, targets=chosen, baselines=())
    sampling = replace(
        settings.sampling, sampler=sampler, samples=1, stride=stride, sets=None, regions=None
    )
    work = replace(settings.work, tolerance=None)
    plan = make(subject, Settings(question, sampling, work))
    return plan.run.evidence(plan.run.begin(), never_stop).relevance_and_error()[0]


def _windows(subject: Subject, question: Question, sampling: Sampling) -> Windows:
    if sampling.opened_regions is not None:
        return regions_of(subject, sampling.opened_regions, resampled=question.resample)
    windows = _over(subject.inputs, sampling)
    return windows if subject.mask is None else _touching(windows, subject.mask)


def _over(inputs: Pixels, sampling: Sampling) -> Windows:
    try:
        return Windows.over(inputs.shape[1:], sampling.size, sampling.step)
    except SettingError:
        if inputs.ndim == 4 and inputs.shape[1] <= 4 and isinstance(sampling.size, int):
            raise InputError(
                f"an array of shape {inputs.shape} is a volume of {inputs.shape[1]} slices, too "
                f"few for a window of {sampling.size}; if it is a batch of one picture, pass "
                "array[0]"
            ) from None
        raise


def _touching(windows: Windows, mask: Mask) -> Windows:
    if mask.shape != windows.shape:
        raise InputError(
            f"a mask of shape {mask.shape}: expected that of the input as the model sees it, "
            f"{windows.shape}"
        )
    touched = windows.touching(mask)
    if len(touched) == 0:
        raise InputError("no window touches the mask: expected true (white) where it matters")
    return touched


def _sampler(subject: Subject, sampling: Sampling, *, resample: bool) -> Sampler:
    model = subject.model
    return samplers.load_sampler(
        sampling.hides_with,
        shape=subject.inputs.shape,
        window=sampling.size,
        margin=sampling.margin,
        prepare=model.prepare,
        mean=model.mean,
        hidden=subject.inputs is not subject.picture,
        grid=subject.source.grid if subject.on_scan else None,
        resample=resample,
        channels=subject.source.channels,
    )


def _check_names(sampler: Sampler, subject: Subject) -> None:
    """Raise a SamplerError for a sampler of tables whose columns are not a row's, in its order."""
    if other := subject.source.misnamed(getattr(sampler, "feature_names", None)):
        at, given, known = other
        raise SamplerError(
            f"a row whose feature {at} is {given!r}: the sampler's table has {known!r} "
            "there; give it the row's columns in the row's order, table[row.index]"
        )


def _paired(sampler: Sampler, samples: int) -> Sampler:
    """Return the sampler with antithetic pairs of draws, where it can make them."""
    paired = sampler.paired()
    if paired.population != 1 and (samples < FIRST_DRAWS or samples % paired.group):
        raise SettingError(
            f"samples={samples}: with a tolerance, errors are estimated from pairs of draws: "
            f"expected an even number of at least {FIRST_DRAWS}"
        )
    return paired


def _chosen(subject: Subject, values: Floats, question: Question) -> list[int]:
    if subject.unit_names:
        return list(range(len(subject.unit_names)))
    if question.of_output is not None:
        return list(subject.numbers)
    return targets.resolve(question.named_targets, values, subject.labels)


def _measure(subject: Subject, values: Floats, question: Question) -> Measure:
    size = question.train_size if question.train_size is not None else subject.model.train_size
    size = IMAGENET_TRAIN_SIZE if size is None else size
    measure = measures.resolve(question.measure, subject.unit, size, classes=len(values))
    # Values that happen to lie in [0, 1] would have odds as well. A node's may be probabilities.
    gives_values = subject.node is None and subject.model.value_unit is not None
    if gives_values and not isinstance(measure, ActivationDifference):
        raise SettingError(
            f"measure={question.measure!r}: {subject.model.spec} gives values, which have no odds; "
            "leave it out (--measure), or load the model with output='probabilities' "
            '("output" in the settings of --preprocess)'
        )
    measure.check(values)
    return measure


def _sides(
    subject: Subject, chosen: list[int], base: PerTarget, measure: Measure
) -> tuple[list[int], PerTarget, Measure]:
    """Return targets, their values and the measure: with 1 - p where it would lose its digits."""
    nearly_one = float(base.max()) > NEARLY_ONE
    if (
        subject.node is not None
        or not isinstance(measure, WeightOfEvidence)
        or not (nearly_one or measure.train_size > ENOUGH_EXAMPLES)
    ):
        return chosen, base, measure
    sides = [*chosen, *(~number for number in chosen)]
    values = subject.model.both_sides(subject.inputs[None])[0]
    return sides, values[sides], measure.of_both_sides()
