"""Blurred: a window of the input itself, out of focus."""

from typing import Self

import numpy as np
from scipy import ndimage

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows, box
from preddiff.samplers.base import ValidRange, replaced
from preddiff.samplers.files import Contents, Stored
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.spec import SpecContext
from preddiff.types import Batch, Draws, Pixels


class Blurred(Stored):
    """Fills the window with what a Gaussian blur leaves of it.

    Not what could have stood there instead, but what is there without its detail: the filling that
    depends least on where a window ends, and that knows the rough colours of what it hides.

    Parameters
    ----------
    sigma : standard deviation of the blur in pixels or voxels.

    Raises
    ------
    SamplerError
        If it is not above 0 and finite.
    """

    kind = "blurred"
    stands_in = "the input itself, blurred"
    population = 1

    def __init__(self, sigma: float) -> None:
        self.sigma = float(sigma)
        self._last: tuple[Pixels, Pixels] | None = None
        if not (np.isfinite(self.sigma) and self.sigma > 0):
            raise SamplerError(f"blur of {sigma} pixels: expected more than 0, e.g. blurred:12")

    @property
    def sha256(self) -> str:
        """Fingerprint of the blur."""
        return fingerprint(kind=self.kind, sigma=self.sigma)

    def draw(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,  # noqa: ARG002
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Draws:
        """Return the windows of the blurred input."""
        blurred = self._blurred(inputs)
        draws = np.empty((len(windows), samples, len(inputs), *windows.size), dtype=np.float32)
        for draw, start in zip(draws, windows.starts, strict=True):
            draw[:] = blurred[:, *box(start, windows.size)]
        return draws

    def fill(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,  # noqa: ARG002
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Batch:
        """Return the input with these windows blurred."""
        return replaced(inputs, windows, self._blurred(inputs)[None], samples)

    def _blurred(self, inputs: Pixels) -> Pixels:
        # An analysis asks thousands of times for the same input: the last one is kept.
        if self._last is None or not np.array_equal(self._last[0], inputs):
            sigmas = (0, *(self.sigma,) * (inputs.ndim - 1))
            self._last = inputs.copy(), ndimage.gaussian_filter(inputs, sigmas)
        return self._last[1]

    def contents(self) -> Contents:
        """Return the blur."""
        return Contents(self.kind, {}, {"sigma": self.sigma})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        return cls(float(contents.facts["sigma"]))


def from_spec(argument: str, context: SpecContext) -> Blurred:
    """Return the sampler of blurred:SIGMA; without one, a twentieth of the input's length."""
    if not argument:
        return Blurred(max(context.shape[1:]) / 20)
    try:
        return Blurred(float(argument))
    except ValueError:
        raise SamplerError(
            f"blurred:{argument}: expected pixels as a number, e.g. blurred:12"
        ) from None
