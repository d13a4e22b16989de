"""The analysis of an input by windows of one size, or of several."""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from preddiff.errors import SettingError
from preddiff.method.estimates import Estimates
from preddiff.method.monitor import Monitor
from preddiff.pipeline import baseline_maps, interruption, outcome
from preddiff.pipeline import progress as bars
from preddiff.pipeline.elsewhere import Workers
from preddiff.pipeline.plan import Plan
from preddiff.pipeline.settings import Settings
from preddiff.results.checkpoint import Checkpoint, UntilSaved
from preddiff.results.combination import combined
from preddiff.results.explanation import Explanation

_WORTH_NAMING = 1.0  # seconds of set-up

Progress = Callable[[int, int], None]
"""Given windows done, and of how many."""

Callback = Callable[[Explanation], bool | None]
"""Given the explanation so far; the analysis stops where it returns true."""


def analyse(
    planned: list[tuple[Settings, Plan]],
    progress: bool | Progress = False,
    checkpoint: str | Path | UntilSaved | None = None,
    callback: Callback | None = None,
    workers: Workers | None = None,
) -> Explanation:
    """Return the explanation by windows of one size, or of several, one size after the other.

    Parameters
    ----------
    planned : settings and plan of each size; what is begun is taken from the list.
    progress, checkpoint, callback : as of `explain`.
    workers : that evaluate chunks; None evaluates them here.
    """
    if workers is not None:
        planned = [(each, replace(plan, run=plan.run.on(workers))) for each, plan in planned]
    clock = _Clock(planned[0][0].work.budget)
    if len(planned) == 1:
        return _analyse(*planned[0], progress, checkpoint, callback, clock)
    # The work on a size stays until that on all of them is done.
    kept = checkpoint if isinstance(checkpoint, UntilSaved | None) else UntilSaved(Path(checkpoint))
    done: list[Explanation] = []

    def show(current: Explanation) -> bool | None:
        return None if callback is None else callback(combined([*done, current]))

    while planned:
        settings, plan = planned.pop(0)  # so that its engine's memory is given back with it
        own = None if kept is None else kept.part(str(settings.sampling.window))
        shown = None if callback is None else show
        done.append(_analyse(settings, plan, progress, own, shown, clock))
        if done[-1].is_partial:
            break
    over = not done[-1].is_partial and done[-1].provenance["tolerance"] == ""
    if kept is not None and kept is not checkpoint and over:
        kept.remove()
    return combined(done)


class _Clock:
    """The time that an analysis may take.

    Parameters
    ----------
    budget : seconds; None sets no limit.
    """

    def __init__(self, budget: float | None) -> None:
        self.budget = budget
        self._end = math.inf if budget is None else time.monotonic() + budget

    @property
    def is_over(self) -> bool:
        """True once the time is up."""
        return time.monotonic() >= self._end


def _analyse(
    settings: Settings,
    plan: Plan,
    progress: bool | Progress,
    checkpoint: str | Path | UntilSaved | None,
    callback: Callback | None,
    clock: "_Clock",
) -> Explanation:
    """Return the explanation by windows of one size."""
    started = time.perf_counter()
    subject = plan.subject
    if progress is True:
        for text in filter(None, (_lengths(plan), plan.run.preparing)):
            bars.say(text)
    shown = reporting(progress, "windows" if settings.sampling.sets is None else "sets")
    # The sensitivity map needs the memory of a backward pass, the engine that of its activations:
    # baselines are made, and their memory given back, before an engine is chosen.
    unfinished = Checkpoint(
        checkpoint, subject.picture, plan.windows, plan.targets, plan.base, plan.facts
    )
    means = plan.run.begin()
    earlier = unfinished.restore(means)
    if earlier is not None:
        plan = replace(plan, run=plan.run.going_on(earlier.engine, finished=earlier.finished))
        means = earlier.means
    others = baseline_maps.make(plan, settings)

    def result(estimates: Estimates, *, partial: bool = False) -> Explanation:
        seconds = time.perf_counter() - started
        return outcome.explanation(plan, estimates, others, seconds, partial=partial)

    outcome.warn_of_few_sets(plan)
    if progress is True:
        forecast = plan.run.forecast()
        bars.say(f"{forecast}{_setup(time.perf_counter() - started)}")
    with shown as report:
        monitor = Monitor(
            settings.work.tolerance,
            report,
            lambda: unfinished.keep(means, plan.run.facts),
            None if callback is None else lambda estimates: callback(result(estimates)),
            means.visits,
            # The map of sets is a fit to all of them, which takes as long as dozens of passes.
            measured=progress is True and settings.sampling.sets is None,
            probable=plan.run.probable_visits,
            interrupted=lambda: interruption.current().number is not None or clock.is_over,
        )
        with interruption.current().visiting():
            estimates = plan.run.evidence(means, monitor)
        explanation = result(estimates, partial=monitor.stopped)
    if monitor.stopped:
        unfinished.leave(means, plan.run.facts)
        if interruption.current().number is not None and not explanation.relevance.notnull().any():
            interruption.current().leave()  # of a few sets there is no map
        if clock.is_over and not explanation.relevance.notnull().any():
            raise SettingError(
                f"budget={clock.budget:g}: too few seconds for a first map; give it more"
            )
        return explanation
    outcome.warn_of_correction(plan, estimates, stated=settings.question.train_size is not None)
    unfinished.finish(means, plan.run.facts)
    return explanation


def _setup(seconds: float) -> str:
    """Return how long it took until the forecast, where anybody waited for it."""
    return f"; set-up took {bars.duration(seconds)}" if seconds >= _WORTH_NAMING else ""


def _lengths(plan: Plan) -> str:
    """Return what lengths came to that were not said in pixels; else nothing."""
    unit = "voxels" if len(plan.windows.shape) == 3 else "pixels"
    said = {name: plan.facts.get(f"{name}_said") for name in ("window", "stride")}
    found = (f"{name} {text}: {plan.facts[name]} {unit}" for name, text in said.items() if text)
    return "; ".join(found)


def reporting(
    progress: bool | Progress | None, counted: str
) -> AbstractContextManager[bars.Report]:
    """Return what shows progress as a caller asked for it.

    Parameters
    ----------
    progress : as of `explain`.
    counted : what the work consists of, in the plural.
    """
    if progress is True:
        return bars.bar("Explaining", counted)
    if progress is False or progress is None:
        return nullcontext(lambda _done, _of, _error: None)
    if not callable(progress):
        raise SettingError(
            f"progress={progress!r}: expected True, False, or a function of windows done and of "
            "how many"
        )
    return nullcontext(lambda done, of, _error: progress(done, of))
