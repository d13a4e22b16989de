"""Patchwise: a window is drawn from a normal, given the pixels of the patch around it.

Drawing from conditional normals, and the distribution of weighted sums of such draws. Subclasses
determine which normal each window has. Axis names: k weighted sum, n window, w value in the window,
p value in the patch.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, NamedTuple

import numpy as np

from preddiff.method.windows import Windows
from preddiff.samplers.base import Normals, ValidRange, Weights
from preddiff.samplers.gaussian.axes import Patches
from preddiff.samplers.gaussian.box_columns import ShiftedBoxes, box_columns
from preddiff.samplers.gaussian.conditioning import ConditionalNormal
from preddiff.samplers.gaussian.partial import HiddenPart
from preddiff.samplers.gaussian.patches import flattened
from preddiff.samplers.gaussian.surrounded import Surrounded, antithetic, blocks
from preddiff.samplers.streams import window_generator
from preddiff.types import Batch, Corners, Draws, Floats, Integers, Mask, PerWindow, Pixels


class WindowGroup(NamedTuple):
    """Windows that share a conditional normal.

    Attributes
    ----------
    conditional : normal of the window given the rest of its patch.
    members : numbers of the windows.
    corners : (n, dimension), corners of their patches.
    """

    conditional: ConditionalNormal
    members: Integers
    corners: Corners


class Patchwise(Surrounded):
    """Draws a window from a normal over patches that is held as matrices."""

    _has_scale = False  # that is unknown, and told by what is visible: a normal has none

    @abstractmethod
    def _groups(self, windows: Windows) -> Iterator[WindowGroup]:
        """The windows, by the normal that they share."""

    def moments(
        self, inputs: Pixels, windows: Windows
    ) -> tuple[Annotated[Floats, "n w"], list[Annotated[Floats, "w w"]]]:
        """Return the conditional mean and covariance of every window (equation 4).

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
        for conditional, members, corners in self._groups(windows):
            means[members] = conditional.mean(flattened(inputs, corners, self.shape))
            for member in members:
                covariances[member] = conditional.covariance
        return means, covariances

    def draw(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Draws:
        """Return draws from the conditional normal of each window."""
        return self.drawn(inputs, windows, samples, seed, valid, None)

    def hide(
        self, inputs: Pixels, hidden: Mask, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with places of any shape drawn block by block, given what is visible."""

        def draw(copy: Pixels, board: Windows, stream: int) -> Draws:
            return self.drawn(copy, board, 1, stream, valid, part)

        part = HiddenPart(hidden)
        windows = blocks(self.shape[1:], hidden)
        return self._swept(inputs, hidden, windows, samples, seed, draw)

    def drawn(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,
        valid: ValidRange | None,
        part: HiddenPart | None,
    ) -> Draws:
        """Return draws given the rest of each patch.

        Parameters
        ----------
        part : what is drawn of each window; None draws them wholly.
        """
        size = windows.size
        values = self.shape[0] * math.prod(size)
        draws = np.empty((len(windows), samples, values), dtype=np.float32)
        for conditional, members, corners in self._groups(windows):
            patches, numbers = flattened(inputs, corners, self.shape), windows.numbers[members]
            means = conditional.mean(patches)
            noise = np.stack(
                [self._noise(window_generator(seed, n), samples, values) for n in numbers]
            )
            seen = part if self._has_scale else None
            visible = self._visible(conditional, means, inputs, windows.subset(members), seen)
            widths = self._widths(conditional, patches, visible, numbers, samples, seed)
            # A draw is mean + F·z with F·Fᵀ the conditional covariance and z white noise.
            found = means[:, None] + widths[:, :, None] * (noise @ conditional.factor.T)
            if part is not None:
                for draw, start in zip(found, windows.starts[members], strict=True):
                    part.give_visible(draw, conditional.covariance, inputs, start, size)
            draws[members] = found
        if self.clip and valid is not None:
            np.clip(draws, *valid, out=draws)
        return draws.reshape(len(windows), samples, self.shape[0], *size)

    def _visible(
        self,
        conditional: ConditionalNormal,
        means: Annotated[Floats, "n w"],
        inputs: Pixels,
        windows: Windows,
        part: HiddenPart | None,
    ) -> Annotated[Floats, "n triple"]:
        """What `HiddenPart.distance` says of each window; zeros if all of it is hidden."""
        visible = np.zeros((len(windows), 3))
        if part is not None:
            for each, mean, start in zip(visible, means, windows.starts, strict=True):
                each[:] = part.distance(mean, conditional.covariance, inputs, start, windows.size)
        return visible

    def _widths(
        self,
        conditional: ConditionalNormal,  # noqa: ARG002
        patches: Patches,
        visible: Annotated[Floats, "n triple"],  # noqa: ARG002
        numbers: Integers,  # noqa: ARG002
        samples: int,
        seed: int,  # noqa: ARG002
    ) -> Annotated[Floats, "n draw"]:
        """Return what the noise of each draw is multiplied by; nothing but 1 for a normal.

        Parameters
        ----------
        visible : of `_visible`.
        numbers : of the windows.
        """
        return np.ones((len(patches), samples))

    def log_density(self, inputs: Pixels, windows: Windows) -> PerWindow:
        """Return the logarithm of the density of what stands in each window, given its patch."""
        found = np.empty(len(windows))
        for conditional, members, corners in self._groups(windows):
            patches = flattened(inputs, corners, self.shape)
            found[members] = self._log_density(conditional, patches)
        return found

    def _log_density(
        self, conditional: ConditionalNormal, patches: Patches
    ) -> Annotated[Floats, "n"]:
        square, log_volume = conditional.distance(patches)
        values = len(conditional.window)
        return np.asarray(-square / 2 - log_volume - values / 2 * np.log(2 * np.pi))

    def project(self, weights: Weights, inputs: Pixels, windows: Windows) -> Iterator[Normals]:
        """Yield one normal per window, of what weighted sums change by given the patch's rest."""
        # A window's draw X is N(μ, Σ) given the rest, so the sums v·(X - x_w) of k weight vectors
        # are jointly normal with mean v·(μ - x_w) and covariance v·Σ·vᵀ = (v·F)·(v·F)ᵀ, where
        # F·Fᵀ = Σ. μ - x_w is one matrix times the patch, plus a constant
        # (`ConditionalNormal.change`), the same for all windows of a group: a product of matrices
        # for a whole plane of windows.
        sums, dimensions = len(weights), len(windows.size)
        mean = np.zeros((sums, len(windows)))
        covariance = np.zeros((sums, sums, len(windows)))
        values, flat = inputs.astype(np.float64), weights.reshape(-1, *windows.shape)
        for conditional, members, corners in self._groups(windows):
            matrix, constant = conditional.change
            offset = tuple((windows.starts[members[0]] - corners[0]).tolist())
            rest = ShiftedBoxes(values, (0,) * dimensions, self.shape[1:])
            hidden = ShiftedBoxes(flat, offset, windows.size)
            for some, (patches, held) in box_columns(corners, rest, hidden):
                which, v = members[some], held.reshape(sums, len(constant), -1)
                change = matrix @ patches + constant[:, None]
                mean[:, which] = np.einsum("kwn,wn->kn", v, change)
                spread = conditional.factor.T @ v
                covariance[:, :, which] = np.einsum("iwn,jwn->ijn", spread, spread)
        yield mean, covariance

    def _noise(
        self, random: np.random.Generator, samples: int, values: int
    ) -> Annotated[Floats, "draw w"]:
        """Standard normal numbers, in pairs z, -z if wanted."""
        if not self.pairs:
            return random.standard_normal((samples, values))
        return antithetic(random.standard_normal(((samples + 1) // 2, values)), samples)


def grouped(
    keys: Annotated[Integers, "n dimension"], limits: tuple[int, ...]
) -> list[Annotated[Integers, "_member"]]:
    """Return the numbers of the rows of `keys` that are the same, ascending in each group.

    Parameters
    ----------
    limits : what every key is below, along each dimension.
    """
    flat = np.ravel_multi_index(tuple(keys.T), limits)
    # Stable: windows that follow each other stay in order, and so do the values that they read.
    order = np.argsort(flat, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(flat[order])) + 1)
