"""Constant: a window of one value or colour, as in Zeiler & Fergus (2014)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import projection
from preddiff.samplers.base import Normals, ValidRange, Weights, is_within, replaced
from preddiff.samplers.files import Contents, Stored
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.spec import SpecContext
from preddiff.types import Batch, Draws, Pixels


class Constant(Stored):
    """Fills the window with one value, or one per channel: occlusion.

    Parameters
    ----------
    value : a number, or an array (channel,), in input space: 0 to 1 for pictures.
    clip : True to refuse values outside of the range that is valid for the input.

    Raises
    ------
    SamplerError
        If the value is not finite, or has more than one dimension.
    """

    kind = "constant"
    stands_in = "one constant value"
    population = 1

    def __init__(self, value: ArrayLike, *, clip: bool = True) -> None:
        self.clip = clip
        self.value = np.asarray(value, dtype=np.float64)
        if self.value.ndim > 1 or not np.isfinite(self.value).all():
            raise SamplerError(
                f"constant value {self.value.tolist()}: expected one finite number, or one per "
                "channel"
            )

    @property
    def sha256(self) -> str:
        """Fingerprint of the value."""
        return fingerprint(value=self.value)

    def check(
        self,
        inputs: Pixels,
        windows: Windows,  # noqa: ARG002
        valid: ValidRange | None,
    ) -> None:
        """Raise a SamplerError if the value does not go with the input's channels or range."""
        if self.value.ndim == 1 and len(self.value) != len(inputs):
            raise SamplerError(
                f"constant has {len(self.value)} values, the input {len(inputs)} channels: "
                "give one value, or one per channel"
            )
        if not self.clip or valid is None or not is_within(inputs, valid):
            return
        if not is_within(self.value, valid):
            raise SamplerError(
                f"constant value {self.value}: expected {valid[0]:g} to {valid[1]:g}, as the input "
                "has (divide 8-bit values by 255); Constant(value, clip=False) takes any"
            )

    def draw(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,  # noqa: ARG002
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Draws:
        """Return windows filled with the value."""
        # A view of one value per channel: the draws of all windows take no memory.
        shape = (len(windows), samples, len(inputs), *windows.size)
        return np.broadcast_to(self._column(inputs), shape)

    def fill(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,  # noqa: ARG002
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Batch:
        """Return the input with the value in these windows."""
        return replaced(inputs, windows, self._column(inputs)[None], samples)

    def project(self, weights: Weights, inputs: Pixels, windows: Windows) -> Iterator[Normals]:
        """Yield one normal without spread."""
        change = np.subtract(self._column(inputs), inputs, dtype=np.float64)
        yield projection.of_certain_draw(weights, change, windows)

    def contents(self) -> Contents:
        """Return the value, and whether it is held against the valid range."""
        return Contents(self.kind, {"value": self.value}, {"clip": self.clip})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        value = np.asarray(contents.numbers("value", contents.arrays["value"].ndim))
        return cls(value, clip=bool(contents.facts["clip"]))

    def _column(self, inputs: Pixels) -> Annotated[NDArray[np.float32], "channel *ones"]:
        """The value of each channel, (channel, 1, ...)."""
        colour = np.broadcast_to(self.value, len(inputs)).astype(np.float32)
        return colour.reshape(-1, *(1,) * (inputs.ndim - 1))


def from_spec(argument: str, context: SpecContext) -> Constant:
    """Return the sampler of constant:VALUE, constant:mean or constant:FILE."""
    if argument == "mean":
        if context.mean is None:
            raise SamplerError(
                "constant:mean: this model does not say the mean of its training inputs; give the "
                "value itself, e.g. constant:0.5"
            )
        return Constant(context.mean)
    if Path(argument).is_file():
        return Constant.load(argument)
    try:
        value = float(argument)
    except ValueError:
        spec = f"constant:{argument}" if argument else "constant"
        raise SamplerError(f"{spec}: expected a number, or mean") from None
    return Constant(value)  # outside the try: a SamplerError is a ValueError itself
