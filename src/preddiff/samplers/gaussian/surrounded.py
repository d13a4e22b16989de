"""Surrounded: a window is drawn from a normal, given the pixels of the patch around it.

Where patches lie, what inputs they can be of, and how several windows are filled together.
"""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Self

import numpy as np

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers.base import ValidRange, blanked, is_within, put
from preddiff.samplers.files import Stored
from preddiff.types import Batch, Corners, Draws, Floats, Mask, Pixels

# The first sweep fills, each further one lets windows agree with their neighbours.
_SWEEPS = 2


class Surrounded(Stored):
    """Draws a window from a multivariate normal, conditioned on the rest of a patch.

    The patch lies centred around the window; at the border of the input it is shifted so that it
    stays inside, and the window sits off-centre in it.

    Attributes
    ----------
    shape : (channel, *patch) of a patch.
    clip : True if draws are clipped to the range that is valid for the input.
    pairs : True if draws come in antithetic pairs, z and -z around the conditional mean: their
        mean varies less than that of independent ones.
    """

    shape: tuple[int, ...]
    clip: bool
    pairs: bool

    @abstractmethod
    def paired(self) -> Self:
        """Return this sampler with antithetic pairs of draws."""

    @abstractmethod
    def central(self, patch: int | tuple[int, ...]) -> Self:
        """Return a sampler of patches that are `patch` long, along all axes or along each.

        Raises
        ------
        SamplerError
            If it cannot.
        """

    @property
    def stands_in(self) -> str:
        """Phrase for what a window is hidden behind."""
        around = "voxels" if len(self.shape) == 4 else "pixels"
        return f"something else that could plausibly have stood there, given the {around} around it"

    @property
    def of_volumes(self) -> bool:
        """True if patches are of volumes."""
        return len(self.shape) == 4

    @property
    def group(self) -> int:
        """Draws that depend on each other: 2 for antithetic pairs."""
        return 2 if self.pairs else 1

    def check(self, inputs: Pixels, windows: Windows, valid: ValidRange | None) -> None:
        """Raise a SamplerError if a patch does not fit, or values lie outside of the range."""
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
        if self.is_clipped(valid) and valid is not None and not is_within(inputs, valid):
            raise SamplerError(
                f"values from {inputs.min():.4g} to {inputs.max():.4g}, but draws are clipped to "
                f"[{valid[0]:g}, {valid[1]:g}]: rescale the input, or use a sampler with "
                "clip=False; of a normalised picture pass the picture itself, and say preprocess="
            )

    def is_clipped(self, valid: ValidRange | None) -> bool:
        """Return whether draws are clipped to the valid range."""
        return self.clip and valid is not None

    def fill(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with all windows drawn together, given what is still visible."""

        def draw(copy: Pixels, board: Windows, stream: int) -> Draws:
            return self.draw(copy, board, 1, stream, valid)

        return self._swept(inputs, windows.covered, windows, samples, seed, draw)

    def _swept(
        self,
        inputs: Pixels,
        hidden: Mask,
        windows: Windows,
        samples: int,
        seed: int,
        draw: Callable[[Pixels, Windows, int], Draws],
    ) -> Batch:
        """Return the input with the hidden part of windows drawn in turn, several times.

        Parameters
        ----------
        draw : one draw of some windows, given an input and a stream of random numbers.
        """
        # Gibbs sampling (Geman & Geman 1984): each window in turn is drawn given the patch around
        # it, in which other windows have what they were drawn last. Nothing of what is hidden is
        # seen: the first draws are given the mean colour of what is visible. Windows of one colour
        # of a chequered board do not see each other, and are drawn at once.
        filled = np.repeat(blanked(inputs, hidden)[None], samples, axis=0)
        boards = _boards(windows)
        for number, copy in enumerate(filled):
            streams = np.random.SeedSequence((seed, number)).generate_state(_SWEEPS, np.uint64)
            for stream in streams:
                for board in boards:
                    put(copy[None], board, draw(copy, board, int(stream) >> 1))
                    # Of what is visible in a window, rounding and clipping are undone.
                    np.copyto(copy, inputs, where=~hidden)
        return filled

    def _corners(self, windows: Windows) -> Corners:
        """Return the corners of the windows' patches."""
        lengths, size = np.array(self.shape[1:]), np.array(windows.size)
        centred = windows.starts - (lengths - size) // 2
        return np.asarray(np.clip(centred, 0, np.array(windows.shape) - lengths))


def antithetic(
    half: Annotated[Floats, "_half *values"], samples: int
) -> Annotated[Floats, "draw *values"]:
    """Return noise z, -z, z', -z', ... of which half is given."""
    # Antithetic variates (Hammersley & Morton, 1956). -z is as likely as z, so the mean of f(z) and
    # f(-z) is without bias, and its variance is (var f + cov(f(z), f(-z)))/2. For an f that is
    # about linear in z the covariance is about -var f: what is linear cancels, and only the even
    # part of f is left to chance. The two depend on each other, so errors are taken over pairs
    # (`group`). An odd number of draws ends with half a pair.
    return np.stack([half, -half], axis=1).reshape(-1, *half.shape[1:])[:samples]


def blocks(patch: tuple[int, ...], hidden: Mask) -> Windows:
    """Return windows side by side, or overlapping by little, that hold all that is hidden.

    They leave a sixth of the patch on each side to condition on.
    """
    longest = [max(1, k - 2 * max(1, k // 6)) for k in patch]
    counts = [math.ceil(n / k) for n, k in zip(hidden.shape, longest, strict=True)]
    # As long as each other: a short one at the end would let those beside it see each other.
    size = tuple(math.ceil(n / m) for n, m in zip(hidden.shape, counts, strict=True))
    axes = [
        np.rint(np.linspace(0, n - k, m)).astype(np.int64)
        for n, k, m in zip(hidden.shape, size, counts, strict=True)
    ]
    starts = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, hidden.ndim)
    return Windows(hidden.shape, size, starts).touching(hidden)


def _boards(windows: Windows) -> list[Windows]:
    """Return the windows in parts, such as the colours of a chequered board, without neighbours."""
    rows = [np.unique(at, return_inverse=True)[1].reshape(-1) % 2 for at in windows.starts.T]
    colour = np.ravel_multi_index(tuple(rows), (2,) * len(rows))
    return [windows.subset(np.flatnonzero(colour == each)) for each in np.unique(colour)]
