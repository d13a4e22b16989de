"""Verification: is a result what its own provenance makes?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import ResultError, SettingError, suggests_keywords
from preddiff.media.input import Source
from preddiff.method.analysis import never_stop
from preddiff.method.estimates import Estimates
from preddiff.method.shares import shares
from preddiff.pipeline.again import Again, Given, is_complete, plans_of
from preddiff.pipeline.finding import ROUNDING, Finding, deviation
from preddiff.pipeline.plan import Plan
from preddiff.pipeline.run_of_sets import RunOfSets
from preddiff.pipeline.run_of_windows import FIRST_DRAWS, SampledRun
from preddiff.results import store
from preddiff.results.combination import mean_of_sizes
from preddiff.results.content import ATTRIBUTE, content_sha256
from preddiff.results.explanation import Explanation
from preddiff.samplers import Sampler
from preddiff.types import Floats, Integers, Relevance

WINDOWS = 20
"""Windows, or sets of them, that are drawn again: seconds of work, which find a change to a
tenth of all with a probability of 88 %."""

_ARITHMETIC = 1e-6  # share by which what follows from stored numbers may differ from what is stored
_ROUNDED = 1e-3  # share of an answer: a thousandth of it has four digits of float32 left
_NAMED = 3  # named that differ, which are named


@dataclass(frozen=True)
class Verification:
    """Findings of `verify`.

    Attributes
    ----------
    checks : one after the other.
    """

    checks: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """True if nothing was found that differs."""
        return all(check.passed is not False for check in self.checks)

    def __str__(self) -> str:
        return "\n".join(map(str, self.checks))


@suggests_keywords
def verify(
    result: str | Path | Explanation,
    windows: int = WINDOWS,
    *,
    picture: Source | None = None,
    model: object = None,
    sampler: str | Sampler | None = None,
    mask: ArrayLike | str | Path | None = None,
    seed: int | None = None,
) -> Verification:
    """Check that a result is what its own provenance makes, by drawing some of its windows again.

    Four things are checked: that the file is as it was written (by a fingerprint, which whoever
    changes a file on purpose can change, too); that model, sampler, settings and the model's answer
    are those that the result names; that its maps follow from its evidence; and that random
    windows, drawn again, give the evidence in the result. Of random sets of windows, sets are drawn
    again, and the windows' evidence is estimated from the stored evidence of all sets again. Other
    methods' maps are held against the fingerprint only; `rerun` computes them again, too.

    Parameters
    ----------
    result : a path, or an Explanation.
    windows : how many windows, or sets of windows, to draw again.
    picture : the input; None takes what the result holds, the input as the model saw it.
    model : as of `explain`; None loads the one that the result names.
    sampler : as of `explain`; None loads the one that the result names.
    mask : as of `explain`. Without it, the windows of a result with a mask are those it holds.
    seed : of which windows are drawn again; None takes others each time.

    Raises
    ------
    PreddiffError
        A subclass that says what cannot be had from the result, and how to give it.
    """
    if not isinstance(windows, int) or windows < 1:
        raise SettingError(f"windows={windows!r}: expected a whole number of at least 1")
    loaded = result if isinstance(result, Explanation) else store.load(result)
    again = plans_of(loaded, Given(picture, model, sampler, mask))
    rng = np.random.default_rng(seed)
    checks = [_of_content(loaded), _of_facts(again), _of_maps(loaded, again)]
    return Verification((*checks, *_of_evidence(loaded, again, windows, rng)))


def _of_content(result: Explanation) -> Finding:
    name = "the file is as it was written"
    stored = result.provenance.get(ATTRIBUTE)
    if stored is None:
        return Finding(name, None, "the result has no fingerprint: it was not saved, or long ago")
    same = stored == content_sha256(result.data)
    return Finding(name, same, "" if same else "its numbers or attributes were changed afterwards")


def _of_facts(again: Again) -> Finding:
    found = again.differences
    return Finding("model, sampler, settings and answer", not found, "; ".join(found))


def _of_maps(result: Explanation, again: Again) -> Finding:
    """Hold the maps of a result against those that follow from its evidence."""
    name = "the maps follow from the evidence"
    plans = [plan for _, plan in again.planned]
    if (
        not is_complete(result)
        and sum(len(p.windows) for p in plans) != result.provenance["windows"]
    ):
        return Finding(name, None, "the mask is not known; name it (mask=, --mask)")
    made = [_estimates(result, plan) for plan in plans]
    coverage = np.sum([each.windows.coverage for each in made], axis=0)
    if not np.array_equal(coverage, result.coverage.values):
        return Finding(name, False, "coverage is not that of its windows")
    relevance, error = mean_of_sizes(*_stacked([each.relevance_and_error() for each in made]))
    maps = {"relevance": relevance}
    # Under a tolerance a bias was taken off, which errors count and files do not hold.
    if result.provenance["tolerance"] == "":
        maps["standard_error"] = error
        if "importance" in result.data:
            of_squares = mean_of_sizes(*_stacked([e.importance_and_error() for e in made]))
            maps["importance"], maps["importance_error"] = of_squares
    for each, values in maps.items():
        off = deviation(values, result.data[each].values)
        if off.max() > _ARITHMETIC:
            where = tuple(int(i) for i in np.unravel_index(int(off.argmax()), off.shape)[1:])
            return Finding(name, False, f"{each} at {where} is off by {off.max():.2g} of its size")
    return Finding(name, True, ", ".join(maps))


def _stacked(pairs: list[tuple[Relevance, Relevance]]) -> tuple[list[Relevance], list[Relevance]]:
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _estimates(result: Explanation, plan: Plan) -> Estimates:
    """Return the stored evidence of the windows of one size as estimates."""
    which, numbers = _own(result, plan)
    evidence, errors = (result.data[n].values[:, which] for n in ("evidence", "evidence_error"))
    groups = None
    if isinstance(plan.run, SampledRun):
        groups = np.full(len(which), plan.run.samples // plan.run.begin().size)
    bias = np.zeros_like(evidence)
    known = None
    if isinstance(plan.run, RunOfSets) and "set_evidence" in result.data:
        # Where windows overlap, as at a border, their errors depend on each other by the sets.
        sets = result.data["set_evidence"].values[:, _own_sets(result, plan)]
        known = shares(plan.run.design, np.arange(sets.shape[1]), sets)
        known = known if np.array_equal(known.known, numbers) else None
    return Estimates(plan.windows, numbers, evidence, errors, bias, 0, groups=groups, shares=known)


def _own(result: Explanation, plan: Plan) -> tuple[Integers, Integers]:
    """Return which windows of a result are a plan's, and their numbers in the plan.

    Raises
    ------
    ResultError
        If the result has windows that the settings in its provenance do not make.
    """
    which = np.flatnonzero((result.window_sizes == plan.windows.size).all(axis=1))
    if result.regions is not None:
        which = np.arange(result.data.sizes["window"])
        return which, np.searchsorted(plan.windows.numbers, result.data["region_number"].values)
    starts = result.data["window_start"].values[which]
    shape = plan.windows.shape
    inside = ((starts >= 0) & (starts < np.array(shape))).all()
    flat = np.ravel_multi_index(tuple(starts.T), shape) if inside else np.array([-1])
    numbers = np.searchsorted(plan.windows.numbers, flat)
    known = numbers < len(plan.windows)
    if not known.all() or not np.array_equal(plan.windows.numbers[numbers], flat):
        raise ResultError(
            f"{result.provenance['input']}: the result has windows that its own settings do not "
            "make; it was changed after it was made"
        )
    return which, numbers


def _of_evidence(
    result: Explanation, again: Again, count: int, rng: np.random.Generator
) -> Iterator[Finding]:
    plans = [plan for _, plan in again.planned]
    totals = np.array([_size(result, plan) for plan in plans])
    chosen = np.sort(rng.choice(totals.sum(), min(count, int(totals.sum())), replace=False))
    ends = np.cumsum(totals)
    for plan, end, total in zip(plans, ends, totals, strict=True):
        own = chosen[(chosen >= end - total) & (chosen < end)] - (end - total)
        if isinstance(plan.run, RunOfSets):
            yield from _of_sets(result, plan, plan.run, own)
        elif len(own):
            yield _of_windows(result, plan, own)


def _size(result: Explanation, plan: Plan) -> int:
    """Return how many windows, or sets of them, of a plan a result holds."""
    if not isinstance(plan.run, RunOfSets):
        return len(_own(result, plan)[0])
    return len(_own_sets(result, plan))


def _own_sets(result: Explanation, plan: Plan) -> Integers:
    if "set_evidence" not in result.data:
        raise ResultError(
            f"{result.provenance['input']}: the result holds no evidence of its sets of windows, "
            "of which no few can be drawn again: make all of it again by preddiff rerun"
        )
    if "set_window_length" not in result.data:
        return np.arange(result.data.sizes["set"])
    lengths = result.data["set_window_length"].values.reshape(result.data.sizes["set"], -1)
    return np.flatnonzero((lengths == plan.windows.size).all(axis=1))


def _of_windows(result: Explanation, plan: Plan, own: Integers) -> Finding:
    """Draw some windows again, and hold their evidence against what the result says."""
    which, numbers = _own(result, plan)
    part = plan.windows.subset(numbers[own])
    stored = [result.data[name].values[:, which] for name in ("evidence", "evidence_error")]
    runs = [replace(plan.run, windows=part)]  # type: ignore[type-var]
    if plan.facts["tolerance"] != "" and isinstance(plan.run, SampledRun):
        # Which windows came a second time is not in the file: either number of draws will do.
        few = min(FIRST_DRAWS, plan.run.samples)
        runs.append(replace(plan.run, windows=part, samples=few))
    offs = []
    for run in runs:
        estimates = run.evidence(run.begin(), never_stop)
        found = (estimates.evidence, estimates.error)
        offs.append(
            np.max(
                [
                    deviation(a, s[:, own], s, _least(result))
                    for a, s in zip(found, stored, strict=True)
                ],
                axis=0,
            ).max(axis=0)
        )
    off = np.min(offs, axis=0)
    rounding = ROUNDING + 4 * float(result.provenance.get("precision_error", 0) or 0)
    name = f"{len(own)} of {len(which)} windows of {_size_text(plan)}, drawn again"
    named = [f"window {which[i]} at {tuple(part.starts[k].tolist())}" for k, i in enumerate(own)]
    return _judged(name, off, rounding, named)


def _of_sets(result: Explanation, plan: Plan, run: RunOfSets, own: Integers) -> Iterator[Finding]:
    """Draw some sets of windows again, and estimate the windows' evidence from all sets again."""
    which = _own_sets(result, plan)
    stored = result.data["set_evidence"].values[:, which]
    what = "regions" if result.regions is not None else f"windows of {_size_text(plan)}"
    if len(own):
        off = deviation(run.evidence_of(own), stored[:, own], stored, _least(result)).max(axis=0)
        name = f"{len(own)} of {len(which)} sets of {what}, drawn again"
        yield _judged(name, off, ROUNDING, [f"set {which[i]}" for i in own])
    mine, numbers = _own(result, plan)
    again = shares(run.design, np.arange(len(which)), stored)
    name = f"the evidence of {what} follows from that of {len(which)} sets"
    if not np.array_equal(again.known, numbers):
        yield Finding(
            name, False, f"{len(numbers)} of them are in the result, {len(again.known)} follow"
        )
        return
    found = zip((again.evidence, again.error), ("evidence", "evidence_error"), strict=True)
    offs = [deviation(values, result.data[each].values[:, mine]) for values, each in found]
    starts = plan.windows.starts[numbers]
    named = [f"window {i} at {tuple(starts[k].tolist())}" for k, i in enumerate(mine)]
    yield _judged(name, np.max(offs, axis=0).max(axis=0), _ARITHMETIC, named)


def _size_text(plan: Plan) -> str:
    size = plan.windows.size
    return str(size[0]) if len(set(size)) == 1 else "×".join(map(str, size))


def _judged(name: str, off: Floats, allowed: float, named: list[str]) -> Finding:
    """Return a check that names the named that are off by more than rounding."""
    wrong = np.flatnonzero(~(off <= allowed))
    if not len(wrong):
        return Finding(name, True, f"off by {off.max():.1g} of its size at most")
    worst = wrong[np.argsort(-off[wrong])][:_NAMED]
    listed = "; ".join(f"{named[i]} is off by {off[i]:.2g}" for i in worst)
    return Finding(name, False, f"{len(wrong)} differ: {listed} of the size of all")


def _least(result: Explanation) -> float:
    """Return the size that evidence is taken to have at least: less is rounding in float32.

    Log-odds are as exact as probabilities are relative to themselves, activations as they are.
    """
    largest = 1.0 if result.of_probabilities else float(np.abs(result.prediction.values).max())
    return _ROUNDED * largest
