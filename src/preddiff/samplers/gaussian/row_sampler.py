"""RowSampler: what samplers of rows of tables have in common."""

from abc import abstractmethod
from typing import Annotated

import numpy as np

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers.base import ValidRange
from preddiff.samplers.files import Stored
from preddiff.samplers.streams import window_generator
from preddiff.types import Draws, Floats, Integers, Pixels

Row = Annotated[Floats, "feature"]
"""The values of one row."""
Hidden = Annotated[Integers, "hidden"]
"""Positions of hidden features, which follow each other."""


class RowSampler(Stored):
    """A sampler of inputs (1, feature) that draws hidden features given all others."""

    stands_in = "what a feature could plausibly be, given all others"

    @property
    @abstractmethod
    def features(self) -> int:
        """The number of features of a row."""

    @abstractmethod
    def draw_hidden(
        self, row: Row, hidden: Hidden, samples: int, generator: np.random.Generator
    ) -> Annotated[Floats, "draw hidden"]:
        """Return draws of hidden features, given the others of the row."""

    def check(
        self,
        inputs: Pixels,
        windows: Windows,  # noqa: ARG002
        valid: ValidRange | None,  # noqa: ARG002
    ) -> None:
        """Raise a SamplerError if the input is no row of as many features."""
        if inputs.shape != (1, self.features):
            raise SamplerError(
                f"the sampler is of rows of {self.features} features, this input has shape "
                f"{inputs.shape}"
            )

    def draw(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Draws:
        """Return draws of the features in each window, given all that are in none of it."""
        draws = np.empty((len(windows), samples, 1, *windows.size), dtype=np.float32)
        row = inputs[0].astype(np.float64)
        for n, (number, (start,)) in enumerate(zip(windows.numbers, windows.starts, strict=True)):
            hidden = np.arange(start, start + windows.size[0])
            generator = window_generator(seed, int(number))
            draws[n, :, 0] = self.draw_hidden(row, hidden, samples, generator)
        return draws
