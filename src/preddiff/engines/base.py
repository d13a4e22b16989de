"""The protocols of engines, and the names that callers and result files use for them.

Nothing here imports torch, so that settings can be validated before a network is loaded.
"""

from typing import Protocol

from preddiff.method.windows import Windows
from preddiff.types import Corners, Draws, Evidence, Values

ENGINES = ("incremental", "dense", "linear")
"""Engines that a caller may ask for, besides "auto"."""

PRECISIONS = ("float32", "bfloat16", "float16")
"""Precisions of a network's arithmetic that a caller may ask for, besides "auto"."""

NAME_IN_PROVENANCE = {"incremental": "incremental", "dense": "dense", "linear": "closed form"}
"""Caller's name of an engine → its name in a result's provenance.

The two differ for the closed form only. Both are promises: callers write the first, and result
files hold the second.
"""


class Engine(Protocol):
    """An engine that evaluates the targets on draws, one window of the input replaced at a time."""

    @property
    def name(self) -> str:
        """The engine's name in a result's provenance."""

    @property
    def batch(self) -> int:
        """Number of draws that are evaluated at once."""

    def evaluate(self, starts: Corners, draws: Draws) -> Values:
        """Return the values of the targets for each draw, (window, draw, target).

        Parameters
        ----------
        starts : (window, dimension), corners of the windows that are replaced, one at a time.
        draws : (window, draw, channel, *size), the values that replace them.
        """


class ExpectationEngine(Protocol):
    """An engine that gives the mean over all draws that a sampler could make, and takes none."""

    @property
    def name(self) -> str:
        """The engine's name in a result's provenance."""

    def expect(self, windows: Windows) -> tuple[Evidence, Evidence]:
        """Return the targets' mean over all draws, and its standard error: both (target, window).

        The error is that of the integration; it is 0 where the mean is exact.
        """
