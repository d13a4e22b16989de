"""Patchwise: a window is drawn from a normal, given the pixels of the patch around it.

What draws from a normal and what tells the law of weighted sums of such draws; which normal it is,
a subclass says. Axis names: k weighted sum, n window, w value in the window, p value in the patch.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import base
from preddiff.samplers.gaussian import normal
from preddiff.samplers.gaussian.patches import flattened
from preddiff.samplers.gaussian.planes import Boxes, columns

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Alike(NamedTuple):
    """Windows that share a conditional normal.

    Attributes
    ----------
    conditional : of the window given the rest of its patch.
    members : numbers of the windows.
    corners : (n, dimension), corners of their patches.
    """

    conditional: normal.Conditional
    members: Integers
    corners: Integers


class Patchwise(ABC):
    """Draws a window from a multivariate normal, conditioned on the rest of a patch.

    The patch lies centred around the window; at the border of the input it is shifted so that it
    stays inside, and the window sits off-centre in it.

    Attributes
    ----------
    shape : (channel, *patch) of a patch.
    clip : whether draws are clipped to the range that is valid for the input.
    pairs : whether draws come in antithetic pairs, z and -z around the conditional mean: their
        mean varies less than that of independent ones.
    """

    population = None
    shape: tuple[int, ...]
    clip: bool
    pairs: bool

    @abstractmethod
    def paired(self) -> Self: ...

    @abstractmethod
    def _alike(self, windows: Windows) -> Iterator[Alike]:
        """The windows, by the normal that they share."""

    @property
    def group(self) -> int:
        return 2 if self.pairs else 1

    def check(
        self, inputs: NDArray[np.float32], windows: Windows, valid: base.Range | None
    ) -> None:
        lengths = self.shape[1:]
        if len(lengths) != len(windows.shape) or self.shape[0] != len(inputs):
            raise SamplerError(
                f"the sampler's patches have shape {self.shape}, the input {inputs.shape}: "
                "expected as many channels and dimensions; fit a sampler on inputs like this one"
            )
        if any(n < k for n, k in zip(lengths, windows.size, strict=True)) or (
            lengths == windows.size
        ):
            raise SamplerError(
                f"a patch of {max(lengths)} leaves nothing around a window of "
                f"{max(windows.size)} to condition on: expected a margin of at least 1"
            )
        if any(n > size for n, size in zip(lengths, windows.shape, strict=True)):
            raise SamplerError(
                f"a patch of {max(lengths)} (window + 2·margin) has no room in an input of "
                f"{'×'.join(map(str, windows.shape))}: choose a smaller window or margin"
            )
        if self.is_clipped(valid) and valid is not None and not base.within(inputs, valid):
            raise SamplerError(
                f"values from {inputs.min():.4g} to {inputs.max():.4g}, but draws are clipped to "
                f"[{valid[0]:g}, {valid[1]:g}]: rescale the input, or use a sampler with clip=False"
            )

    def is_clipped(self, valid: base.Range | None) -> bool:
        return self.clip and valid is not None

    def moments(self, inputs: NDArray[np.float32], windows: Windows) -> tuple[Floats, list[Floats]]:
        """Conditional mean and covariance of every window (equation 4).

        Parameters
        ----------
        inputs : (channel, *spatial).

        Returns
        -------
        means (window, value), and a covariance (value, value) per window; windows at the same
        offset in their patch share one.
        """
        means = np.empty((len(windows), self.shape[0] * math.prod(windows.size)))
        covariances = [np.empty(0)] * len(windows)
        for conditional, members, corners in self._alike(windows):
            means[members] = conditional.mean(flattened(inputs, corners, self.shape))
            for member in members:
                covariances[member] = conditional.covariance
        return means, covariances

    def draw(
        self,
        inputs: NDArray[np.float32],
        windows: Windows,
        samples: int,
        seed: int,
        valid: base.Range | None,
    ) -> NDArray[np.float32]:
        values = self.shape[0] * math.prod(windows.size)
        draws = np.empty((len(windows), samples, values), dtype=np.float32)
        for conditional, members, corners in self._alike(windows):
            means = conditional.mean(flattened(inputs, corners, self.shape))
            noise = np.stack(
                [
                    self._noise(base.generator(seed, number), samples, values)
                    for number in windows.numbers[members]
                ]
            )
            draws[members] = means[:, None] + noise @ conditional.factor.T
        if self.clip and valid is not None:
            np.clip(draws, *valid, out=draws)
        return draws.reshape(len(windows), samples, self.shape[0], *windows.size)

    def project(
        self, weights: Floats, inputs: NDArray[np.float32], windows: Windows
    ) -> Iterator[base.Normals]:
        """One normal per window: mean v·(μ - x_w) and covariance v·Σ·v, over the patch's rest."""
        sums, dimensions = len(weights), len(windows.size)
        mean = np.zeros((sums, len(windows)))
        covariance = np.zeros((sums, sums, len(windows)))
        values, flat = inputs.astype(np.float64), weights.reshape(-1, *windows.shape)
        for conditional, members, corners in self._alike(windows):
            matrix, constant = conditional.change
            offset = tuple((windows.starts[members[0]] - corners[0]).tolist())
            rest = Boxes(values, (0,) * dimensions, self.shape[1:])
            hidden = Boxes(flat, offset, windows.size)
            for some, (patches, held) in columns(corners, rest, hidden):
                which, v = members[some], held.reshape(sums, len(constant), -1)
                change = matrix @ patches + constant[:, None]
                mean[:, which] = np.einsum("kwn,wn->kn", v, change)
                spread = conditional.factor.T @ v
                covariance[:, :, which] = np.einsum("iwn,jwn->ijn", spread, spread)
        yield mean, covariance

    def _corners(self, windows: Windows) -> Integers:
        """Where the windows' patches begin."""
        lengths, size = np.array(self.shape[1:]), np.array(windows.size)
        centred = windows.starts - (lengths - size) // 2
        return np.asarray(np.clip(centred, 0, np.array(windows.shape) - lengths))

    def _noise(self, random: np.random.Generator, samples: int, values: int) -> Floats:
        """Standard normal (draw, value)."""
        if not self.pairs:
            return random.standard_normal((samples, values))
        half = random.standard_normal(((samples + 1) // 2, values))
        return np.stack([half, -half], axis=1).reshape(-1, values)[:samples]


def by_key(keys: Integers, limits: tuple[int, ...]) -> list[Integers]:
    """Numbers of the rows of `keys` (n, dimension) that are the same, ascending in each group.

    Parameters
    ----------
    limits : what every key is below.
    """
    flat = np.ravel_multi_index(tuple(keys.T), limits)
    order = np.argsort(flat, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(flat[order])) + 1)
