"""Power: the spectrum of a stationary field, estimated from inputs that come one at a time."""

from collections.abc import Iterable
from functools import reduce
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from preddiff.errors import SamplerError
from preddiff.samplers.files import Fact
from preddiff.samplers.gaussian.field import Lags
from preddiff.samplers.gaussian.patch_statistics import checked_input
from preddiff.samplers.gaussian.patches import flattened, patch_corners
from preddiff.types import Floats, PerChannel

_FLOOR = 1e-6  # of the variance, at every frequency, so that covariances have Cholesky factors
_ABSOLUTE_FLOOR = 1e-12  # for inputs without any variance


class Power(NamedTuple):
    """A stationary field, as far as inputs show it.

    Attributes
    ----------
    mean : (channel,).
    autocovariance : (channel, channel, *torus), lag 0 first.
    facts : inputs and blocks that it was estimated from.
    """

    mean: PerChannel
    autocovariance: Lags
    facts: dict[str, Fact]


def estimate(inputs: Iterable[ArrayLike], block: int) -> Power:
    """Estimate a field on a torus as long as a block.

    Raises
    ------
    SamplerError
        If inputs cannot be used, or there are fewer than two.
    """
    sums, members = None, 0
    for member in inputs:
        values = checked_input(member, block, members, None)
        shape = (len(values), *(block,) * (values.ndim - 1))
        sums = sums or _Sums(shape)
        if shape != sums.shape:
            raise SamplerError(
                f"input {members} has blocks of shape {shape}: expected {sums.shape}, as the ones "
                "before it"
            )
        for corner in patch_corners(values.shape[1:], block, None, (block // 2,) * len(shape[1:])):
            sums.add(flattened(values, corner[None], shape).reshape(shape))
        members += 1
    if sums is None or members < 2:
        raise SamplerError(f"{members} inputs are too few: expected at least 2; add inputs")
    mean, autocovariance = sums.result()
    return Power(mean, autocovariance, {"inputs": members, "blocks": sums.count})


class _Sums:
    """Sums over blocks, of which one is held at a time."""

    # Welch's method (IEEE Trans. Audio Electroacoust. 15, 1967): the mean periodogram of blocks
    # that overlap by half, each faded out towards its border by a Hann window. A mean of outer
    # products is a covariance, positive at every frequency. The mean colour is known in the end
    # only; a block without it is Y - mean·T, where T is the transform of the window.

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.count = shape, 0
        curves = [np.hanning(n + 2)[1:-1] for n in shape[1:]]
        self._taper = reduce(np.multiply.outer, curves)
        self._blocks = np.zeros(shape)
        self._products = np.zeros((shape[0], *shape), dtype=complex)

    def add(self, values: Annotated[Floats, "channel *block"]) -> None:
        """Add a block."""
        transformed = self._transform(values)
        self._products += transformed.conj()[:, None] * transformed
        self._blocks += values
        self.count += 1

    def result(self) -> tuple[PerChannel, Lags]:
        """Return the mean and the autocovariance of the field."""
        square = self._taper**2
        over = tuple(range(1, len(self.shape)))
        mean = (self._blocks * square).sum(axis=over) / (self.count * square.sum())
        average = self._transform(self._blocks / self.count)
        level = self._transform(np.ones_like(self._blocks) * mean.reshape(-1, *(1,) * len(over)))
        spectrum = (
            self._products / self.count
            - average.conj()[:, None] * level
            - level.conj()[:, None] * average
            + level.conj()[:, None] * level
        )
        values = fft.ifftn(spectrum, axes=[n + 1 for n in over]).real / square.sum()
        own = range(self.shape[0])
        values = values.reshape(*self.shape[:1] * 2, -1)
        values[own, own, 0] += _FLOOR * values[own, own, 0].mean() + _ABSOLUTE_FLOOR
        return mean, values.reshape(self.shape[0], *self.shape)

    def _transform(
        self, values: Annotated[Floats, "channel *block"]
    ) -> Annotated[NDArray[np.complex128], "channel *block"]:
        return np.asarray(fft.fftn(values * self._taper, axes=range(1, values.ndim)))
