"""Interactions of regions, from a model and an input: the front door."""

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from preddiff.engines.dense import Dense
from preddiff.errors import SettingError, suggests_keywords
from preddiff.media.input import Source, open_input
from preddiff.media.labels import RegionSource, open_regions
from preddiff.method import interactions as method
from preddiff.method.interactions import Matrix, Unions, UnionValues
from preddiff.method.regions import Regions
from preddiff.method.sets import SetDesign
from preddiff.models import load_model
from preddiff.pipeline import plan as plans
from preddiff.pipeline import progress as bars
from preddiff.pipeline import subject as subjects
from preddiff.pipeline.plan import Asked
from preddiff.pipeline.regions import regions_of
from preddiff.pipeline.remembered import with_remembered
from preddiff.pipeline.run_of_sets import PASSES_WORTH_EXPORTING
from preddiff.pipeline.settings import Settings, Targets
from preddiff.results import provenance
from preddiff.results.interactions import Interactions
from preddiff.samplers import Sampler
from preddiff.samplers.base import hide
from preddiff.types import Batch, Evidence, Mask

_FEWEST_SETS = 30


@suggests_keywords
def interactions(
    model: Any,
    picture: Source,
    regions: RegionSource,
    targets: Targets | None = None,
    *,
    node: str | None = None,
    sampler: str | Sampler | None = None,
    window: int | None = None,
    margin: int = 2,
    samples: int | None = None,
    seed: int = 0,
    sets: int | None = None,
    mask: ArrayLike | str | Path | None = None,
    resample: bool = False,
    train_size: float | None = None,
    measure: str = "auto",
    progress: bool = False,
    device: str = "cpu",
    memory: int | None = None,
) -> Interactions:
    """Return how the evidence of regions depends on each other.

    The interaction of two regions is the evidence of both hidden together minus that of each alone
    (Blücher, Vielhaben & Strodthoff 2022). In bits, it is above 0 where either region is enough for
    the decision, below 0 where both are needed, and 0 where each adds its own evidence.

    Parameters
    ----------
    model, picture, targets, node : as of `explain`.
    regions : a number, of superpixels (extra `demo`); boxes along each axis, e.g. (4, 4); labels
        (*spatial) of the input as the model sees it; or a picture or scan whose values are labels.
        Labels are whole numbers, 0 where no region is. N regions take N + N (N - 1) / 2 times
        `samples` evaluations.
    sampler : as of `explain`. All that is hidden is drawn given all that is visible.
    window, margin : of the conditional sampler, which draws regions in blocks: its patches are
        window + 2 · margin long.
    samples : draws with a region or pair hidden; None is 10, and 1 with `sets`. Draws of one number
        belong together in all of them, so what they share cancels.
    seed : the draws follow from it.
    sets : the number of random sets of regions to hide, each region with probability ½, instead of
        single regions and pairs. The interaction of a pair is then the mean over what else is
        hidden: Banzhaf's index. Take several sets for each pair. None hides nothing else.
    mask, resample, train_size, measure, device, memory : as of `explain`.
    progress : True for a bar on the terminal.

    Returns
    -------
    Interactions
        Its `matrix` (target, region, region) has interactions, with the evidence of each region on
        the diagonal, and its `error` their standard errors. `figure` draws it.

    Raises
    ------
    PreddiffError
        A subclass that says which setting, model or input cannot be used, and what to do.
    """
    started = time.perf_counter()
    opened, wanted = open_input(picture), open_regions(regions)
    settings = Settings.of(
        targets=targets, node=node, sampler=sampler, window=window, margin=margin, samples=samples,
        seed=seed, sets=sets, mask=mask, resample=resample, train_size=train_size, measure=measure,
        device=device, memory=memory,
    )  # fmt: skip
    if sets is not None and settings.sampling.sets < _FEWEST_SETS:  # type: ignore[operator]
        raise SettingError(f"sets={sets}: expected at least {_FEWEST_SETS}, several for each pair")
    if isinstance(settings.sampling.window, tuple):
        raise SettingError(f"window={window!r}: regions are drawn in blocks of one size; give one")
    # Regions are hidden, not windows: of those, only the conditional sampler's patches are left.
    loaded = load_model(model)
    settings = with_remembered(settings, loaded, announce=progress)
    single = replace(settings.sampling, sets=None).over(volume=opened.is_volume)
    sampling = replace(settings.sampling, window=single.window)
    settings = replace(settings, sampling=sampling)
    subject = subjects.make(loaded, opened, settings.question, sampling, device, wanted)
    parts = regions_of(subject, wanted, resampled=resample)
    if len(parts) < 2:
        raise SettingError("regions: there is one: expected two or more that can interact")
    work = _Work(plans.asked(subject, settings, parts), parts, settings)
    if progress:
        bars.say(f"{work.evaluations() - 1:,} draws")
    with bars.bar("Hiding", "unions") if progress else nullcontext(_silent) as report:
        matrix, error = work.matrix_and_error(report)
    return _result(work, matrix, error, time.perf_counter() - started)


def _silent(done: int, of: int, error: float | None) -> None:
    """Report nothing."""


@dataclass(frozen=True, eq=False)
class _Work:
    """Unions of regions to hide, and what the model says of them."""

    asked: Asked
    regions: Regions
    settings: Settings

    @property
    def samples(self) -> int:
        """Draws of each union, no more than the sampler has different ones."""
        draws = self.settings.sampling.draws
        return min(draws, self.asked.sampler.population or draws)

    @cached_property
    def design(self) -> SetDesign | None:
        """Random sets; None where regions are hidden alone and in pairs."""
        sampling = self.settings.sampling
        if sampling.sets is None:
            return None
        return method.random_sets(self.regions, sampling.sets, sampling.seed)

    @cached_property
    def unions(self) -> Unions:
        """Those that are hidden, in the order of their evaluation."""
        if self.design is None:
            return method.alone_and_in_pairs(len(self.regions))
        return self.design.all_hidden

    def evaluations(self) -> int:
        """Return how often the model is evaluated, with once for the input itself."""
        return 1 + len(self.unions) * self.samples

    @cached_property
    def engine(self) -> Dense:
        """Whole passes: regions change any part of an input."""
        subject, work = self.asked.subject, self.settings.work
        model = subject.model
        if self.evaluations() >= PASSES_WORTH_EXPORTING:
            model = model.faster(subject.inputs, subject.node)
        return Dense(model, subject.inputs, self.asked.sides[0], subject.node, memory=work.memory)

    def matrix_and_error(self, report: bars.Report) -> tuple[Matrix, Matrix]:
        """Return interactions and their standard errors."""
        _, base, measure = self.asked.sides
        values = self._values(report)

        def evidence(mean: Evidence) -> Evidence:
            return measure(base[:, None], mean, np.zeros_like(mean))[0]

        if self.design is not None:
            return method.among_random_others(self.design, evidence(values.mean(axis=2)))
        sampler, count = self.asked.sampler, len(self.regions)
        return method.with_error(
            lambda mean: method.of_unions(evidence(mean), count),
            values, sampler.group, sampler.population,
        )  # fmt: skip

    def _values(self, report: bars.Report) -> UnionValues:
        values = np.empty((len(self.asked.sides[0]), len(self.unions), self.samples))
        for number, union in enumerate(self.unions):
            filled = self._filled(number, np.isin(self.regions.labels, self.regions.numbers[union]))
            values[:, number] = self.engine.evaluate_whole(filled).T
            report(number + 1, len(self.unions), None)
        return values

    def _filled(self, number: int, hidden: Mask) -> Batch:
        """Return the input with a union hidden, once for each draw."""
        subject, seed = self.asked.subject, self.settings.sampling.seed
        if self.design is not None:  # draws of other sets must not have the same error
            state = np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)
            seed = int(state[0]) >> 1
        return hide(self.asked.sampler, subject.inputs, hidden, self.samples, seed, subject.valid)


def _result(work: _Work, matrix: Matrix, error: Matrix, seconds: float) -> Interactions:
    asked = work.asked
    subject = asked.subject
    grid = subject.source.grid if subject.on_scan else None
    return Interactions(
        matrix=matrix,
        error=error,
        numbers=work.regions.numbers,
        regions=work.regions.labels,
        picture=subject.picture,
        targets=np.array(asked.targets, dtype=np.int64),
        labels=tuple(plans.labels_of(subject, asked.targets)),
        prediction=asked.base,
        affine=grid.affine if grid is not None and grid.knows_sides else np.empty((0, 0)),
        provenance={
            "input": subject.source.name,
            "input_sha256": subject.source.sha256,
            "resampled_from_sha256": subject.source.resampled_from or "",
            **asked.facts,
            "samples": work.samples,
            "sets": "" if work.design is None else len(work.design),
            "engine": work.engine.name,
            **({} if work.engine.model.runtime is None else {"runtime": work.engine.model.runtime}),
            "regions": len(work.regions),
            "evaluations": work.evaluations(),
            "seconds": round(seconds, 3),
            **provenance.environment(),
        },
    )
