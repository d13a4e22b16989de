"""Constant: a patch of one colour, as in Zeiler & Fergus (2014)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import base


class Constant:
    """Fills the window with one value, or one per channel: occlusion.

    Parameters
    ----------
    value : a number, or an array (channel,), in input space: 0 to 1 for pictures.
    clip : whether values outside of the range that is valid for the input are refused.
    """

    population = 1
    group = 1

    def __init__(self, value: ArrayLike, *, clip: bool = True) -> None:
        self.clip = clip
        self.value = np.asarray(value, dtype=np.float64)
        if self.value.ndim > 1 or not np.isfinite(self.value).all():
            raise SamplerError(
                f"constant value {self.value}: expected one finite number, or one per channel"
            )

    def paired(self) -> Self:
        return self

    @property
    def sha256(self) -> str:
        return base.fingerprint(value=self.value)

    def check(
        self,
        inputs: NDArray[np.float32],
        windows: Windows,  # noqa: ARG002
        valid: base.Range | None,
    ) -> None:
        if self.value.ndim == 1 and len(self.value) != len(inputs):
            raise SamplerError(
                f"constant has {len(self.value)} values, the input {len(inputs)} channels: "
                "give one value, or one per channel"
            )
        if not self.clip or valid is None or not base.within(inputs, valid):
            return
        if not base.within(self.value, valid):
            raise SamplerError(
                f"constant value {self.value}: expected {valid[0]:g} to {valid[1]:g}, as the input "
                "has (divide 8-bit values by 255); Constant(value, clip=False) takes any"
            )

    def draw(
        self,
        inputs: NDArray[np.float32],
        windows: Windows,
        samples: int,
        seed: int,  # noqa: ARG002
        valid: base.Range | None,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        colour = np.broadcast_to(self.value, len(inputs)).astype(np.float32)
        colour = colour.reshape(-1, *(1,) * len(windows.size))
        return np.broadcast_to(colour, (len(windows), samples, len(inputs), *windows.size))

    def is_clipped(self, valid: base.Range | None) -> bool:  # noqa: ARG002
        return False

    def project(
        self, weights: NDArray[np.float64], inputs: NDArray[np.float32], windows: Windows
    ) -> Iterator[base.Normals]:
        """One normal without spread."""
        colour = np.broadcast_to(self.value, len(inputs)).astype(np.float32)
        colour = colour.reshape(-1, *(1,) * len(windows.size))
        yield base.certain(weights, np.subtract(colour, inputs, dtype=np.float64), windows)

    def save(self, path: str | Path) -> None:
        base.write(path, "constant", {"value": self.value}, clip=self.clip)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        arrays, facts = base.read(path, "constant")
        return cls(arrays["value"], clip=facts["clip"])
