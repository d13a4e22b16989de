"""What runs by draws have in common: their parts, and where their chunks are evaluated."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Self

from preddiff.method.chunks import Chunk, Evaluates, Here
from preddiff.method.measures import Measure
from preddiff.pipeline.elsewhere import SentRun, Workers
from preddiff.pipeline.settings import Work
from preddiff.pipeline.subject import Subject
from preddiff.samplers import Sampler
from preddiff.types import PerTarget, Values


@dataclass(frozen=True, eq=False)
class RunOfDraws(ABC):
    """A run whose chunks are evaluated in this process, or by workers.

    Attributes
    ----------
    samples : draws of each part that is hidden, no more than the sampler has different ones.
    targets, base : (target,), class or channel numbers and their values on the unperturbed input.
    finished : whether the work was done to the end.
    workers : that evaluate chunks; None evaluates them in this process.
    """

    subject: Subject
    sampler: Sampler
    samples: int
    targets: list[int]
    base: PerTarget
    measure: Measure
    work: Work
    _: KW_ONLY
    finished: bool = False
    workers: Workers | None = None

    @property
    @abstractmethod
    def facts(self) -> Mapping[str, str | float]:
        """The engine as a result's provenance says it."""

    @abstractmethod
    def values(self, chunk: Chunk) -> Values:
        """Return the values of the targets for each draw of a chunk, (part, draw, target)."""

    @abstractmethod
    def by(self, engine: Mapping[str, str | float]) -> Self:
        """Return the run by an engine that was chosen elsewhere."""

    @abstractmethod
    def seconds(self) -> float | None:
        """Return the seconds that all draws take here; None if that is not worth timing."""

    @property
    def shared(self) -> tuple[object, ...]:
        """The model and the sampler, which runs on other inputs have, too."""
        return self.subject.model, self.sampler

    def on(self, workers: Workers) -> Self:
        """Return the run whose chunks workers evaluate."""
        return replace(self, workers=workers)

    def to_send(self) -> Self:
        """Return what a worker needs of the run."""
        return replace(self, subject=self.subject.to_send(), workers=None)

    @cached_property
    def _sent(self) -> SentRun | None:
        return None if self.workers is None else self.workers.send(self.to_send())

    @property
    def _evaluation(self) -> Evaluates:
        return Here(self.values) if self._sent is None else self._sent.evaluation(self.facts)
