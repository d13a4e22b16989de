"""Hold the embedded statistics of large patches against held-out pictures.

    python scripts/check_extension.py FOLDER [--held-out 30]

FOLDER holds the pictures that `fit_natural.py` was run on: the same are held out. Of patches above
32×32, `StationaryGaussian.natural` extends the embedded autocovariance
(samplers/gaussian/extension.py). Prints how much pixels differ at a lag, half the mean square: as
embedded, as extended, and of the held-out pictures, weighted as in `fit_natural.py`; and how likely
their 40×40 windows are, by the extension and by lags that were measured on the fitted pictures.
"""

import argparse

import numpy as np
from fit_natural import add_rounding_noise, autocovariance, split
from scipy import linalg

from preddiff.samplers import StationaryGaussian
from preddiff.samplers.gaussian import natural

WINDOW, PATCH, STEP = 40, 44, 32
LAGS = (1, 4, 16, 31, 40, 60)


def difference(values: np.ndarray, lag: int, centre: int) -> float:
    """Half the mean square difference of green at a lag, mean of both directions."""
    green = np.roll(values[1, 1], (-centre, -centre), axis=(0, 1))
    return float(green[0, 0] - (green[0, lag] + green[lag, 0]) / 2)


def bits_per_value(mean: np.ndarray, values: np.ndarray, pictures: list[np.ndarray]) -> float:
    """Mean log2 density of windows given the rest of their patch; lag 0 of `values` is first."""
    numbers = np.arange(3 * PATCH**2).reshape(3, PATCH, PATCH)
    margin = (PATCH - WINDOW) // 2
    inside = numbers[:, margin:-margin, margin:-margin].ravel()
    order = np.concatenate([np.setdiff1d(numbers, inside), inside])  # the rest comes first
    channel, y, x = np.unravel_index(order, numbers.shape)
    lags = ((y - y[:, None]) % values.shape[2], (x - x[:, None]) % values.shape[3])
    factor = linalg.cholesky(values[(channel[:, None], channel, *lags)], lower=True)
    volume = np.log2(np.diag(factor)[-len(inside) :]).mean()
    found = []
    for picture in pictures:
        view = np.lib.stride_tricks.sliding_window_view(picture, (PATCH, PATCH), axis=(1, 2))
        patches = view[:, ::STEP, ::STEP].transpose(1, 2, 0, 3, 4).reshape(-1, len(order))
        deviation = (patches - np.repeat(mean, PATCH**2))[:, order]
        white = linalg.solve_triangular(factor, deviation.T, lower=True)[-len(inside) :]
        found.append(-(white**2).mean() / 2 / np.log(2) - volume - np.log2(2 * np.pi) / 2)
    return float(np.mean(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--held-out", type=int, default=30)
    arguments = parser.parse_args()
    fitted, held_out = split(arguments.folder, arguments.held_out)
    reach = max(*LAGS, PATCH) + 1
    _, held_lags = autocovariance(held_out, reach)
    mean, known = natural.statistics(3)
    extended = StationaryGaussian.natural(64).field.autocovariance
    print("lag      embedded  extended  held out")
    for lag in LAGS:
        embedded = difference(known, lag, 31) if lag < natural.REACH else float("nan")
        row = (embedded, difference(extended, lag, 0), difference(held_lags, lag, reach - 1))
        print(f"{lag:3d}      " + "  ".join(f"{value:8.4f}" for value in row))
    measured = np.roll(
        add_rounding_noise(autocovariance(fitted, PATCH)[1]), (1 - PATCH,) * 2, axis=(2, 3)
    )
    small = StationaryGaussian.natural(PATCH).field.autocovariance
    for name, values in (("extended", small), ("measured lags", measured)):
        bits = bits_per_value(mean, values, held_out)
        print(f"{name:14s} log2 density of held-out windows: {bits:.3f} bits per value")


if __name__ == "__main__":
    main()
