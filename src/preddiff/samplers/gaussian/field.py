"""Field: a stationary normal field on a torus, whose covariance is diagonal in frequency.

Axis names: n field, f frequency.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from preddiff.errors import SamplerError
from preddiff.types import Floats, Integers

Lags = Annotated[Floats, "channel channel *torus"]
"""Covariance of channel a at a pixel with channel b, a lag further on; lag 0 comes first, negative
ones last."""
Spectrum = Annotated[NDArray[np.complex128], "*torus channel channel"]
"""A Hermitian matrix for each frequency."""
Fields = Annotated[Floats, "n channel *torus"]
Noise = Annotated[NDArray[np.float32], "n channel *torus"]

_LEAST_POWER = 1e-12  # of the greatest; below, covariances have no Cholesky factor


@dataclass(frozen=True, eq=False)
class Field:
    """A stationary normal field without mean.

    Attributes
    ----------
    autocovariance : (channel, channel, *torus).

    Raises
    ------
    SamplerError
        If it is no autocovariance: not positive definite.
    """

    # On a torus the covariance of all values is block circulant: the Fourier transform makes it a
    # small matrix, channel by channel, for each frequency. Its product with a vector, and draws,
    # cost a few transforms (Dietrich & Newsam, SIAM J. Sci. Comput. 18, 1997), where the matrix
    # itself would have a number for each pair of values. Inside of half a torus nothing is near to
    # itself around the back, and a patch has just the covariance C_ab(q - p).

    autocovariance: Lags

    def __post_init__(self) -> None:
        power = np.linalg.eigvalsh(self._spectrum)
        if not power.min() > _LEAST_POWER * power.max():
            raise SamplerError(
                "the autocovariance is not positive definite: its spectrum must be above 0 at "
                "every frequency; fit it with StationaryGaussian.fit"
            )

    @property
    def torus(self) -> tuple[int, ...]:
        """Lengths of the torus."""
        return self.autocovariance.shape[2:]

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(2, self.autocovariance.ndim))

    @cached_property
    def _spectrum(self) -> Spectrum:
        # (Σv)_a(p) = Σ_b Σ_d C_ab(d)·v_b(p + d), in frequency Σ_b conj(C_ab(f))·v_b(f).
        transformed = np.moveaxis(fft.fftn(self.autocovariance, axes=self._axes), (0, 1), (-2, -1))
        return np.asarray((transformed.conj() + transformed.swapaxes(-1, -2)) / 2)

    @cached_property
    def _half_spectrum(self) -> Annotated[NDArray[np.complex128], "channel channel *_half"]:
        last = self.torus[-1] // 2 + 1
        return np.moveaxis(self._spectrum[..., :last, :, :], (-2, -1), (0, 1)).copy()

    @cached_property
    def _root(self) -> Annotated[NDArray[np.complex64], "channel channel *torus"]:
        # The Hermitian root is the only one that does not depend on how eigenvectors are chosen.
        power, vectors = np.linalg.eigh(self._spectrum)
        scaled = vectors * np.sqrt(np.maximum(power, 0) * np.prod(self.torus))[..., None, :]
        root = scaled @ vectors.conj().swapaxes(-1, -2)
        return np.asarray(np.moveaxis(root, (-2, -1), (0, 1)), dtype=np.complex64)

    def times(self, fields: Fields) -> Fields:
        """Return the covariance of all values, multiplied by vectors (n, channel, *torus)."""
        transformed = fft.rfftn(fields, axes=self._axes)
        product = np.zeros_like(transformed)
        for a, row in enumerate(self._half_spectrum):
            for b, entry in enumerate(row):
                product[:, a] += entry * transformed[:, b]
        return np.asarray(fft.irfftn(product, s=self.torus, axes=self._axes))

    def draw(self, random: np.random.Generator, count: int) -> Noise:
        """Return fields (n, channel, *torus); the first do not depend on how many there are."""
        # With complex noise at every frequency, real and imaginary part are independent fields.
        shape = (-(-count // 2), len(self.autocovariance), *self.torus)
        noise = random.standard_normal((*shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
        product = np.zeros_like(noise)
        for a, row in enumerate(self._root):
            for b, entry in enumerate(row):
                product[:, a] += entry * noise[:, b]
        both = fft.ifftn(product, axes=self._axes, overwrite_x=True)
        return np.stack([both.real, both.imag], axis=1).reshape(-1, *shape[1:])[:count]

    def covariance(self, positions: Annotated[Integers, "m position"]) -> Annotated[Floats, "m m"]:
        """Return the covariance of some values.

        Parameters
        ----------
        positions : (m, 1 + dimension), channel and pixel of each value.
        """
        channel, *along = positions.T
        lags = ((at - at[:, None]) % n for at, n in zip(along, self.torus, strict=True))
        return np.asarray(self.autocovariance[(channel[:, None], channel, *lags)])
