"""What an engine is: it evaluates a model on many draws for windows of one input."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Values of the targets with one window of the input replaced at a time."""

    @property
    def name(self) -> str:
        """What a result's provenance calls it."""

    @property
    def batch(self) -> int:
        """How many draws it evaluates at once."""

    def evaluate(
        self, starts: NDArray[np.int64], draws: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Values of the targets for each draw.

        Parameters
        ----------
        starts : (window, dimension), corners of the windows that are replaced, one at a time.
        draws : (window, draw, channel, *size), what stands in them instead.

        Returns
        -------
        (window, draw, target)
        """
