"""Fit the embedded sampler: the autocovariance of natural pictures across places and channels.

    python scripts/fit_natural.py FOLDER [--held-out 30] [-o FILE]

FILE is src/preddiff/samplers/gaussian/natural.npz unless said otherwise.

Every picture is brought to a short side of 256 pixels, the scale at which networks see it, and
multiplied by a Hann window. For each lag up to ±31 pixels the products of all pairs of pixels
that far apart are added up, over all pictures but the held-out ones, and divided by the sum of
the squared window. So the result is the inverse transform of a power spectrum, and the
covariance of every patch positive semi-definite; dividing by the number of pairs instead, without
the window, is not. The window's own correlation is 1 - O(lag²): it leaves short lags alone, where
cutting the picture off sharply would add white noise. Prints how likely the held-out pictures'
windows are, channels joint against independent.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import signal

from preddiff.media import folders, images
from preddiff.samplers import ConditionalGaussian
from preddiff.samplers.gaussian import natural

REACH = 32
SHORT_SIDE = 256


def picture(path: Path) -> np.ndarray:
    """A picture as float64 (channel, y, x), its short side 256."""
    image = images.read(path).convert("RGB")
    scale = SHORT_SIDE / min(image.size)
    size = tuple(round(n * scale) for n in image.size)
    return images.to_array(image.resize(size, Image.Resampling.BILINEAR)).astype(np.float64)


def split(folder: str, held_out: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The pictures that are fitted, and those that are held out."""
    pictures = [picture(path) for path in folders.find_pictures(folder)]
    order = np.random.default_rng(0).permutation(len(pictures))
    return [pictures[i] for i in order[held_out:]], [pictures[i] for i in order[:held_out]]


def autocovariance(pictures: list[np.ndarray], reach: int = REACH) -> tuple[np.ndarray, np.ndarray]:
    """Mean (a,) and covariance (a, b, lag y, lag x) of channel a here and b a lag further on."""
    tapers = [np.outer(*(np.hanning(n + 2)[1:-1] for n in p.shape[1:])) for p in pictures]
    weights = sum((taper**2).sum() for taper in tapers)
    mean = sum((p * t**2).sum(axis=(1, 2)) for p, t in zip(pictures, tapers, strict=True)) / weights
    total = np.zeros((3, 3, 2 * reach - 1, 2 * reach - 1))
    for p, taper in zip(pictures, tapers, strict=True):
        tapered = (p - mean[:, None, None]) * taper
        for a in range(3):
            for b in range(3):
                total[a, b] += lags(tapered[a], tapered[b], reach)
    return mean, total / weights


def lags(here: np.ndarray, there: np.ndarray, reach: int) -> np.ndarray:
    """Sum over pixels of here[p] · there[p + lag], for lags below `reach` in both directions."""
    whole = signal.correlate(there, here, mode="full", method="fft")
    centre = [n - 1 for n in here.shape]
    box = tuple(slice(c - reach + 1, c + reach) for c in centre)
    return whole[box]


def add_rounding_noise(values: np.ndarray) -> np.ndarray:
    """The autocovariance with the variance of rounding to 8 bits added at lag 0."""
    values = values.copy()
    centre = values.shape[-1] // 2
    values[range(3), range(3), centre, centre] += 1 / (12 * 255**2)
    return values


def bits_per_value(sampler: ConditionalGaussian, pictures: list[np.ndarray]) -> float:
    """Mean log2 density of 10×10 windows given the rest of their 14×14 patch."""
    conditional = sampler.conditional((10, 10), (2, 2))
    factor = conditional.factor
    log_volume = np.log2(np.diag(factor)).sum()
    densities = []
    for p in pictures:
        view = np.lib.stride_tricks.sliding_window_view(p, (14, 14), axis=(1, 2))[:, ::16, ::16]
        patches = view.transpose(1, 2, 0, 3, 4).reshape(-1, 3 * 14 * 14)
        deviation = patches[:, conditional.window] - conditional.mean(patches)
        square = (np.linalg.solve(factor, deviation.T) ** 2).sum(axis=0)
        n = deviation.shape[1]
        bits = -square / 2 / np.log(2) - log_volume - n / 2 * np.log2(2 * np.pi)
        densities.append(bits.mean() / n)
    return float(np.mean(densities))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--held-out", type=int, default=30)
    parser.add_argument("-o", "--output", default="src/preddiff/samplers/gaussian/natural.npz")
    arguments = parser.parse_args()
    fitted, held_out = split(arguments.folder, arguments.held_out)
    mean, values = autocovariance(fitted)
    values = add_rounding_noise(values)
    np.savez_compressed(
        arguments.output, mean=mean.astype(np.float32), autocovariance=values.astype(np.float32)
    )
    print(f"pictures: {len(fitted)} fitted, {len(held_out)} held out")
    least = np.linalg.eigvalsh(natural.patch_statistics(REACH, "joint", 3)[1])[0]
    print(f"least eigenvalue of the {REACH}×{REACH} patch: {least:.2e}")
    for channels in ("joint", "independent"):
        bits = bits_per_value(ConditionalGaussian.natural(14, channels), held_out)
        print(f"{channels:12s} log2 density of held-out windows: {bits:.3f} bits per value")


if __name__ == "__main__":
    main()
