"""Again: from a result back to the plans that it was made by."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from preddiff.engines.base import ENGINES, NAME_IN_PROVENANCE, PRECISIONS
from preddiff.errors import InputError, ModelError, SamplerError, TargetError
from preddiff.media.additions import additions
from preddiff.media.input import Input, Source, open_input
from preddiff.media.several import paths as joined
from preddiff.method.windows import Windows
from preddiff.models import Model, load_model, targets
from preddiff.models.load import FACTORY, SPEC_SOURCES
from preddiff.pipeline import plan as plans
from preddiff.pipeline import subject as subjects
from preddiff.pipeline.plan import Plan
from preddiff.pipeline.settings import Question, Sampling, Settings, Work
from preddiff.results.combination import fact
from preddiff.results.explanation import Explanation, lengths_of
from preddiff.samplers import Sampler
from preddiff.samplers.load import LOADERS
from preddiff.targets import pairs

# Facts that have to be as the result says, and what messages call them.
_COMPARED = {
    "model_sha256": "the model",
    "preprocessing": "the preprocessing",
    "sampler_sha256": "the sampler",
    "regions_sha256": "the fingerprint of the regions",
    **{name: name for name in ("samples", "sets", "measure", "classes", "unit", "antithetic")},
}
_LONG = 12  # letters of a value in a message
# Predictions on the unperturbed input differ in their last bits from machine to machine.
_BASE_RTOL, _BASE_ATOL = 1e-4, 1e-5


@dataclass(frozen=True, eq=False)
class Given:
    """Things that are given with a result, which holds none of them; None is as the result says.

    Attributes
    ----------
    picture : the input; the result holds it as the model saw it.
    model : as of `explain`.
    sampler : as of `explain`.
    mask : as of `explain`.
    """

    picture: Source | None = None
    model: object = None
    sampler: str | Sampler | None = None
    mask: ArrayLike | str | Path | None = None


@dataclass(frozen=True, eq=False)
class Again:
    """The plans of a result: one for each size of windows.

    Attributes
    ----------
    planned : settings and plan of each size, in the result's order.
    differences : what is not as the result says, in said; empty where all is.
    """

    planned: list[tuple[Settings, Plan]]
    differences: list[str]


def plans_of(result: Explanation, given: Given) -> Again:
    """Return the plans that make a result again.

    Raises
    ------
    PreddiffError
        A subclass that says what cannot be had from the result, and how to give it.
    """
    facts = result.provenance
    if "target_of_output" in facts and pairs.read(facts["target_of_output"]) is None:
        raise TargetError(
            f"target {facts['target_of_output']!r}: is a function of the model's output, which a "
            "result does not hold; explain the input again, and compare the two"
        )
    model = _model(facts, given)
    source = _input(result, given)
    planned = []
    for sampling in _sampling(result, given, model).parts:
        settings = Settings(_question(result, given), sampling, _work(result))
        subject = subjects.make(model, source, settings.question, sampling, "cpu")
        planned.append((settings, _plan(subject, settings, result, given)))
    return Again(planned, _differences(result, [plan for _, plan in planned], source, given))


def _model(facts: Mapping[str, object], given: Given) -> Model:
    if given.model is not None:
        return load_model(given.model)
    spec = str(facts["model"])
    # A result may be a stranger's: it must not choose which function of which module is called,
    # nor which file of this machine is read.
    name = spec.partition("@")[2] or spec.removeprefix("hf:").removeprefix("monai:")
    if Path(name).name != name or name == ".." or not _is_harmless(spec):
        raise ModelError(
            f"model {spec!r}: is not loaded because a result says so; name it (model=, --model)"
        )
    try:
        return load_model(spec)
    except ModelError as error:
        raise ModelError(f"{error}; or name the result's model (model=, --model)") from None


def _is_harmless(spec: str) -> bool:
    return any(source.matches(spec) for source in SPEC_SOURCES if source is not FACTORY)


def _input(result: Explanation, given: Given) -> Input:
    if given.picture is not None:
        return open_input(given.picture, _channels(result, given.picture))
    facts = result.provenance
    features, channels = (tuple(facts.get(name, ())) for name in ("features", "channels"))
    return Input(
        result.picture.values,
        str(facts["input"]),
        result.grid,
        features=features or None,
        channels=channels,
    )


def _channels(result: Explanation, picture: Source) -> tuple[str, ...] | None:
    """Return the names of a scan's channels, where they are those of one file."""
    named = tuple(result.provenance.get("channels", ()))
    is_one = not isinstance(picture, str | Path) or not joined(picture)
    return named if named and is_one and not isinstance(picture, Input | np.ndarray) else None


def _question(result: Explanation, given: Given) -> Question:
    facts = result.provenance
    size = facts.get("train_size")
    return Question(
        targets=_targets(result),
        node=facts["node"] or None,
        source=facts["source"] or None,
        measure=facts["measure"],
        train_size=size if isinstance(size, int | float) else (math.inf if size else None),
        mask=given.mask,
        resample=bool(facts.get("resampled"))
        and (given.picture is not None or given.mask is not None),
        baselines=[name for name in result.baselines if name != "sensitivity"],
    )


def _targets(result: Explanation) -> list[str]:
    """Return the targets as text: numbers of classes and channels, units, or a contrast."""
    if "target_of_output" in result.provenance:
        return [str(result.provenance["target_of_output"])]
    node = str(result.provenance["node"])
    texts = [label.removeprefix(node).strip() for label in result.labels]
    try:
        are_units = bool(node) and bool(targets.parse_units(texts))
    except TargetError:
        are_units = False
    return texts if are_units else [f"class:{n}" for n in result.data["target"].values.tolist()]


def _sampling(result: Explanation, given: Given, model: Model) -> Sampling:
    facts = result.provenance
    sampler = given.sampler
    if sampler is None:
        sampler = _named_sampler(str(facts["sampler"]), model)
    window, stride = facts["window"], facts["stride"]
    several = [int(text) if text.isdecimal() else text for text in str(window).split(", ")]
    return Sampling(
        sampler=sampler,
        window=several if len(several) > 1 else several[0],
        margin=facts["margin"] if isinstance(facts["margin"], int) else 2,
        samples=facts["samples"] or None,
        # Of several sizes that each have their own, it is the window's length: that is the default.
        stride=stride if lengths_of(stride) and window not in {"channel", "unit"} else None,
        seed=facts["seed"],
        sets=facts.get("sets") or None,
        regions=None if result.regions is None else result.regions.values,
    )


def _named_sampler(spec: str, model: Model) -> str:
    """Return the sampler that a result names: one beside its model, or a file in this folder."""
    if model.remembered is not None and spec == f"cohort:{model.remembered.path.name}":
        return model.remembered.spec(model.spec)
    inner = spec
    while inner.startswith("channel:"):
        inner = inner.split(":", 2)[-1]
    name, _, argument = inner.partition(":")
    is_anothers = name in additions("preddiff.samplers") and name not in LOADERS
    if is_anothers or Path(argument).name != argument:
        raise SamplerError(
            f"sampler {spec!r}: is not read because a result says so; name it (sampler=, --sampler)"
        )
    return spec


def _work(result: Explanation) -> Work:
    facts = result.provenance
    names = {said: name for name, said in NAME_IN_PROVENANCE.items()}
    engine = names.get(str(facts["engine"]), "auto")
    precision = str(facts["precision"])
    in_precision = precision in PRECISIONS and engine == "incremental"
    return Work(
        engine=engine if engine in ENGINES else "auto",
        precision=precision if in_precision else "auto",
        tolerance=None if facts["tolerance"] == "" else facts["tolerance"],
    )


def _plan(
    subject: subjects.Subject,
    settings: Settings,
    result: Explanation,
    given: Given,
) -> Plan:
    if not result.provenance["masked"] or given.mask is not None or result.regions is not None:
        return plans.make(subject, settings)
    # The mask is not known, but which windows it left is.
    if settings.sampling.sets is not None:
        check_mask(result, given)
    shape = result.coverage.shape
    size = tuple(np.broadcast_to(settings.sampling.size, len(shape)).tolist())
    own = np.flatnonzero((result.window_sizes == size).all(axis=1))
    starts = result.data["window_start"].values[own]
    return plans.make(subject, settings, Windows(shape, size, starts))


def is_complete(result: Explanation) -> bool:
    """Return whether the evidence of all windows is there."""
    return bool(result.data.sizes["window"] == result.provenance["windows"])


def check_mask(result: Explanation, given: Given) -> None:
    """Raise an InputError if windows that were not visited follow from a mask that is not given."""
    if result.provenance["masked"] and given.mask is None and not is_complete(result):
        raise InputError(
            "the result has a mask and not all of the windows that it left: name the mask (mask=, "
            "--mask)"
        )


def _differences(
    result: Explanation, made: Sequence[Plan], source: Input, given: Given
) -> list[str]:
    """Return what is not as the result says, in said."""
    facts = result.provenance
    found = [
        f"{said} is {_short(mine)}, the result's is {_short(facts[name])}"
        for name, said in _COMPARED.items()
        if name in facts
        and (mine := fact(name, [p.facts.get(name, "") for p in made])) != facts[name]
    ]
    if given.mask is not None and "mask_sha256" in facts:
        mask, stated = made[0].facts["mask_sha256"], facts["mask_sha256"]
        if mask != stated:
            found.append(f"the mask is {_short(mask)}, the result's is {_short(stated)}")
    of_source = facts.get("resampled_from_sha256") or facts.get("input_sha256")
    if given.picture is not None and of_source and source.sha256 != of_source:
        found.append(f"the input is {_short(source.sha256)}, the result's is {_short(of_source)}")
    seen, stored = made[0].subject.picture, result.picture.values
    if not np.array_equal(seen, stored):
        found.append("the input, as the model sees it, is not the picture in the result")
    base = made[0].base
    answer = result.prediction.values
    close = base.shape == answer.shape and np.allclose(
        base, answer, rtol=_BASE_RTOL, atol=_BASE_ATOL * float(np.abs(answer).max())
    )
    if not close:
        found.append(f"the model's answer is {base}, the result's is {answer}")
    return found


def _short(value: object) -> str:
    """Return a value as text, of a fingerprint as many letters as tell it from others."""
    text = str(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"
