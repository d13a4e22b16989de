"""Marginal: what other inputs have at the same place (equation 2)."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import base


class Marginal:
    """Draws the window from other inputs, at the same place and without replacement.

    With as many draws as the pool has members the expectation is exact.

    Parameters
    ----------
    pool : (n, channel, *spatial), in input space and of the input's shape.
    """

    group = 1

    def __init__(self, pool: ArrayLike) -> None:
        self.pool = np.asarray(pool, dtype=np.float32)
        if self.pool.ndim < 3 or len(self.pool) == 0:
            raise SamplerError(
                f"pool of shape {self.pool.shape}: expected (n, channel, *spatial) with n ≥ 1"
            )
        if not np.isfinite(self.pool).all():
            raise SamplerError("the pool has values that are NaN or infinite; remove those inputs")

    @property
    def population(self) -> int:
        return len(self.pool)

    def paired(self) -> Self:
        return self

    @cached_property
    def sha256(self) -> str:
        return base.fingerprint(pool=self.pool)

    def check(
        self,
        inputs: NDArray[np.float32],
        windows: Windows,  # noqa: ARG002
        valid: base.Range | None,  # noqa: ARG002
    ) -> None:
        if self.pool.shape[1:] != inputs.shape:
            raise SamplerError(
                f"the pool's inputs have shape {self.pool.shape[1:]}, this one {inputs.shape}: "
                "prepare the pool as the input was (model.prepare)"
            )

    def draw(
        self,
        inputs: NDArray[np.float32],
        windows: Windows,
        samples: int,
        seed: int,
        valid: base.Range | None,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        draws = np.empty((len(windows), samples, len(inputs), *windows.size), dtype=np.float32)
        for n, (number, start) in enumerate(zip(windows.numbers, windows.starts, strict=True)):
            members = base.generator(seed, number).permutation(len(self.pool))[:samples]
            box = tuple(slice(s, s + k) for s, k in zip(start, windows.size, strict=True))
            draws[n] = self.pool[(slice(None), slice(None), *box)][members]
        return draws

    def is_clipped(self, valid: base.Range | None) -> bool:  # noqa: ARG002
        return False

    def project(
        self, weights: NDArray[np.float64], inputs: NDArray[np.float32], windows: Windows
    ) -> Iterator[base.Normals]:
        """What each member of the pool gives: a normal without spread."""
        for member in self.pool:
            yield base.certain(weights, np.subtract(member, inputs, dtype=np.float64), windows)

    def save(self, path: str | Path) -> None:
        base.write(path, "marginal", {"pool": self.pool})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        arrays, _ = base.read(path, "marginal")
        return cls(arrays["pool"])
