"""The protocol of runs: ways to get the evidence of all windows."""

from collections.abc import Mapping
from typing import Protocol

from preddiff.method.analysis import AfterChunk
from preddiff.method.estimates import Estimates
from preddiff.method.running_means import RunningMeans
from preddiff.pipeline.elsewhere import Workers


class Run(Protocol):
    """One way to get the evidence of all windows."""

    @property
    def samples(self) -> int:
        """Draws per window; 0 where none are taken."""

    @property
    def facts(self) -> Mapping[str, str | float]:
        """The engine as a result's provenance says it; it changes no result but for rounding."""

    @property
    def preparing(self) -> str:
        """Words for what is done before the forecast; empty where that takes no time."""

    @property
    def probable_visits(self) -> int | None:
        """Visits to windows that a run with a tolerance probably takes; None where unknown."""

    def begin(self) -> RunningMeans:
        """Return the running means of a run that has not begun."""

    def going_on(self, engine: Mapping[str, str | float], *, finished: bool) -> "Run":
        """Return the run that continues what an engine began, or did to the end.

        Parameters
        ----------
        engine : name, precision and batch, as in `facts`.
        """

    def on(self, workers: Workers) -> "Run":
        """Return the run whose chunks workers evaluate."""

    def forecast(self) -> str:
        """Return what the work is going to cost, in words."""

    def evidence(self, means: RunningMeans, after_chunk: AfterChunk) -> Estimates:
        """Return the evidence, going on from running means.

        Parameters
        ----------
        after_chunk : called after each chunk; where it returns true, the run stops.
        """
