"""The work that an engine is chosen for, and what is chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.engines.base import Engine
from preddiff.engines.cost import seconds_per_draw
from preddiff.models import Model
from preddiff.types import Corners, Draws, Evidence, Integers, Pixels, Values

MakeEvidence = Callable[[Values], Evidence]
"""Values (window, draw, target) → evidence (target, window)."""

Facts = Mapping[str, str | float]
"""Entries of a result's provenance: the engine, its precision and that one's error, its batch."""

CheckedCorners = Annotated[Integers, "checked dimension"]
CheckedDraws = Annotated[NDArray[np.float32], "checked draw_of_checked channel *size"]
"""Corners and draws of the windows that boxes are held against whole passes on: not those of
`Corners` and `Draws`, which are others and of another number."""


@dataclass(frozen=True, eq=False)
class Task:
    """The work that an engine is chosen for.

    Attributes
    ----------
    inputs : (channel, *spatial).
    targets, node : what is evaluated.
    size : of the windows.
    starts, draws : a few windows to try it on, (window, dimension), and draws of each,
        (window, draw, channel, *size).
    evidence : what is made of the values in the end.
    total : how many draws there are going to be, about.
    memory : bytes that a batch may take; None is a sixteenth of the machine's, half a GiB at most.
    checked : starts and draws, likewise, of windows from all over the input, which boxes are held
        against whole forward passes on; None takes those above.
    """

    model: Model
    inputs: Pixels
    targets: list[int]
    node: str | None
    size: tuple[int, ...]
    starts: Corners
    draws: Draws
    evidence: MakeEvidence
    total: int
    memory: int | None = None
    checked: tuple[CheckedCorners, CheckedDraws] | None = None

    def seconds(self, engine: Engine) -> float:
        """Return the seconds of one draw by an engine."""
        return seconds_per_draw(engine, self.starts, self.draws)


@dataclass(frozen=True, eq=False)
class Choice:
    """The engine that was chosen, and what a result's provenance says of it."""

    engine: Engine
    facts: Facts
