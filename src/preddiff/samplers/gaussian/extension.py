"""Extension of an autocovariance beyond the lags at which it is known.

Axis names: i eigenvector of the channels' covariance, s scale, f frequency.
"""

from typing import Annotated

import numpy as np
from scipy import fft, optimize

from preddiff.samplers.gaussian.field import Lags
from preddiff.types import Floats

# A natural picture's power falls as a power of the frequency: a mixture of exponentials,
# exp(-distance / scale), with scales a factor of two apart follows it. Scales in pixels.
_SCALES = 2.0 ** np.arange(-1, 11)
_FINE = 0.2  # cycles per pixel, from which on nothing is extended

Frequencies = Annotated[Floats, "*torus"]


def extended(known: Annotated[Floats, "channel channel lag_y lag_x"], torus: int) -> Lags:
    """Return the autocovariance of a field on a square torus, of which the nearest lags are known.

    Parameters
    ----------
    known : covariance of channel a here and channel b a lag (y, x) further on; lag 0 is central.
    torus : its length.
    """
    # What a lag of many pixels tells is in the low frequencies. There, the power is that of a
    # mixture of exponentials, fitted to the known lags. At high frequencies, where the mixture is
    # too crude (it is isotropic, and knows nothing of lenses and pixels), the power is that of the
    # known lags, faded out towards the last of them by a window whose own transform is nowhere
    # negative (Bohman, IRE Trans. 1960). Both are positive, and so is what lies between them:
    #
    #     S(f) = h(f)·S_mixture(f) + (1 - h(f))·S_known(f),    h falls from 1 to 0 at 0.2 cycles
    #
    reach = (known.shape[-1] + 1) // 2
    frequency = np.stack(np.meshgrid(*(fft.fftfreq(torus),) * 2, indexing="ij"))
    fade = np.clip(1 - np.hypot(*frequency) / _FINE, 0, 1)
    low = 0.5 - 0.5 * np.cos(np.pi * fade)
    spectrum = low * _mixture(known, frequency) + (1 - low) * _transformed(known, torus)
    values = np.asarray(fft.ifft2(spectrum).real)
    # A torus is too short for the longest scales, which shift a whole patch: the constant between
    # all of them and the known variance is power at frequency 0.
    return values - (values[:, :, 0, 0] - known[:, :, reach - 1, reach - 1])[:, :, None, None]


def _mixture(
    known: Annotated[Floats, "channel channel lag_y lag_x"],
    frequency: Annotated[Floats, "_axis *torus"],
) -> Lags:
    """Return the spectrum of the mixture of exponentials that is nearest to the known lags."""
    centre = known.shape[-1] // 2
    _, vectors = np.linalg.eigh(known[:, :, centre, centre])
    along = np.einsum("ai,bi,abyx->iyx", vectors, vectors, known).reshape(len(known), -1)
    distance = np.hypot(*(np.indices(known.shape[2:]) - centre)).reshape(-1)
    weight = 1 / (1 + distance)  # so that every distance counts alike, however many lags it has
    curves = np.exp(-distance[:, None] / _SCALES) * weight[:, None]
    shares = [optimize.nnls(curves, each * weight)[0] for each in along]
    spectrum = np.zeros((len(known), *frequency.shape[1:]))
    for scale, share in zip(_SCALES, np.transpose(shares), strict=True):
        if share.any():
            spectrum += share[:, None, None] * _exponential(scale, frequency)
    return np.asarray(np.einsum("ai,bi,iyx->abyx", vectors, vectors, spectrum))


def _exponential(scale: float, frequency: Annotated[Floats, "_axis *torus"]) -> Frequencies:
    """Return the spectrum of exp(-distance / scale) at whole pixels of the plane."""
    # 2π·scale² / (1 + (2π·f·scale)²)^(3/2) in the continuous plane; at whole pixels, frequencies
    # that differ by a cycle are the same.
    total = np.zeros(frequency.shape[1:])
    for beyond in np.ndindex(3, 3):
        square = sum((f + n - 1) ** 2 for f, n in zip(frequency, beyond, strict=True))
        total += 2 * np.pi * scale**2 / (1 + (2 * np.pi * scale) ** 2 * square) ** 1.5
    return total


def _transformed(
    known: Annotated[Floats, "channel channel lag_y lag_x"], torus: int
) -> Annotated[np.ndarray, "channel channel *torus"]:
    """Return the spectrum of the known lags, faded out towards the last."""
    reach = (known.shape[-1] + 1) // 2
    lags = np.arange(1 - reach, reach)
    t = np.abs(lags) / reach
    window = (1 - t) * np.cos(np.pi * t) + np.sin(np.pi * t) / np.pi
    placed = np.zeros((*known.shape[:2], torus, torus))
    placed[:, :, lags[:, None], lags] = known * np.outer(window, window)
    return np.asarray(fft.fft2(placed))
