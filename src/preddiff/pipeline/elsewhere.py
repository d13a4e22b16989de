"""Chunks that are evaluated elsewhere: what a run asks of the workers of a cluster."""

from collections.abc import Mapping
from typing import Protocol

from preddiff.method.chunks import Chunk, Evaluates
from preddiff.types import Values

Facts = Mapping[str, str | float]
"""An engine as a result's provenance says it: its name, precision and batch."""


class Sendable(Protocol):
    """A run as workers get it, which evaluates chunks without a look at any other."""

    @property
    def shared(self) -> tuple[object, ...]:
        """The model and the sampler, which runs on other inputs have, too."""

    @property
    def facts(self) -> Facts:
        """The engine that it chooses."""

    def by(self, engine: Facts) -> "Sendable":
        """Return the run by an engine that was chosen elsewhere."""

    def seconds(self) -> float | None:
        """Return the seconds that all of its work takes here; None if that is not worth timing."""

    def values(self, chunk: Chunk) -> Values:
        """Return the values of the targets for each draw of a chunk, (window, draw, target)."""


class SentRun(Protocol):
    """A run that workers have."""

    def facts(self) -> Facts:
        """Return the engine that a worker chose."""

    def seconds(self, facts: Facts) -> float | None:
        """Return the seconds that all workers together take for it, by an engine, if known."""

    def evaluation(self, facts: Facts) -> Evaluates:
        """Return what evaluates its chunks, by an engine."""


class Workers(Protocol):
    """Other processes that evaluate chunks."""

    def send(self, run: Sendable) -> SentRun:
        """Send a run to them."""
