"""Runs without draws: the exact expectation, of linear models."""

from collections.abc import Mapping
from dataclasses import dataclass

from preddiff.engines import ExpectationEngine
from preddiff.method.analysis import AfterChunk, analyse_in_closed_form
from preddiff.method.estimates import Estimates
from preddiff.method.measures import Measure
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows
from preddiff.pipeline.elsewhere import Workers
from preddiff.types import PerTarget


@dataclass(frozen=True, eq=False)
class ClosedFormRun:
    """The exact expectation over all draws, of linear models: no draw is taken.

    Attributes
    ----------
    base : (target,), values on the unperturbed input.
    """

    windows: Windows
    engine: ExpectationEngine
    base: PerTarget
    measure: Measure

    samples = 0
    preparing = ""
    probable_visits = None

    @property
    def facts(self) -> Mapping[str, str | float]:
        """The engine and its precision."""
        return {"engine": self.engine.name, "precision": "float64"}

    def begin(self) -> RunningMeans:
        """Return running means of nothing: there are no draws to take means of."""
        return RunningMeans.empty(len(self.base), 0)

    def going_on(self, engine: Mapping[str, str | float], *, finished: bool) -> "ClosedFormRun":  # noqa: ARG002
        """Return this run, which takes seconds and keeps nothing."""
        return self

    def on(self, workers: Workers) -> "ClosedFormRun":  # noqa: ARG002
        """Return this run, which takes seconds, here."""
        return self

    def forecast(self) -> str:
        """Return how many windows there are; they take seconds."""
        return f"{len(self.windows):,} windows in closed form, without draws"

    def evidence(self, means: RunningMeans, after_chunk: AfterChunk) -> Estimates:  # noqa: ARG002
        """Return the evidence of all windows; `after_chunk` is called once."""
        estimates = analyse_in_closed_form(
            self.windows, self.engine.expect, self.base, self.measure
        )
        after_chunk(lambda: estimates, len(self.windows), len(self.windows))
        return estimates
