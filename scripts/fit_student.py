"""Fit the scale and the degrees of freedom of the embedded Student distribution.

    python scripts/fit_student.py FOLDER

The scatter of patches is the embedded covariance times a scale. Scale and degrees of freedom are
those of greatest likelihood on the pictures that scripts/fit_natural.py fits, at several sizes of
the patch. Then, with the embedded scale, how likely windows are if so many of the visible values
tell the scale. Copies the pictures that are held out to the folder --held-out, if it is given, and
those that are fitted to --fitted.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
from fit_natural import picture
from scipy import optimize

from preddiff.media import folders
from preddiff.samplers import StudentT
from preddiff.samplers.gaussian import natural
from preddiff.samplers.gaussian.gathering import gathered
from preddiff.samplers.gaussian.scatter import distances, of_distances
from preddiff.studies.sampler_check import sites
from preddiff.types import Pixels

HELD_OUT = 30
WINDOWS = 20  # of each picture
MOST_BITS = 8  # a value in a picture's file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--held-out")
    parser.add_argument("--fitted")
    arguments = parser.parse_args()
    paths = folders.find_pictures(arguments.folder)
    order = np.random.default_rng(0).permutation(len(paths))
    parts = {arguments.held_out: order[:HELD_OUT], arguments.fitted: order[HELD_OUT:]}
    for destination, part in parts.items():
        if destination:
            Path(destination).mkdir(parents=True, exist_ok=True)
            for i in part:
                shutil.copyfile(paths[i], Path(destination) / paths[i].name)
    pictures = [picture(paths[i]) for i in order[HELD_OUT:]]
    for patch in (8, 14, 20):
        patches = gathered(pictures, patch, "joint").patches
        mean, covariance = natural.patch_statistics(patch, "joint", 3)
        square, values = distances(patches, mean, covariance)[0], len(mean)

        def cost(logs: np.ndarray, square: np.ndarray = square, values: int = values) -> float:
            freedom, scale = np.exp(logs)
            density = of_distances(square / scale, values, freedom)
            return float(-density.mean() + values / 2 * np.log(scale))

        found = optimize.minimize(cost, [0.0, -2.0], method="Nelder-Mead")
        freedom, scale = np.exp(found.x)
        print(f"patches of {patch}: {freedom:.3f} degrees of freedom, scale {scale:.4f}")
    for patch in (8, 14, 20):
        told_by(StudentT.natural(patch), pictures)


def told_by(sampler: StudentT, pictures: list[Pixels]) -> None:
    """Print how likely windows 4 pixels shorter than patches are, if so many values tell scales."""
    patch = sampler.shape[-1]
    for number in (3, 6, 9, 12, 15, 20, 40, np.inf):
        sampler.told_by = number
        bits = []
        for seed, one in enumerate(pictures):
            windows = sites.chosen(one, patch - 4, 2, WINDOWS, seed)
            values = len(one) * (patch - 4) ** 2
            each = sampler.log_density(one, windows) / np.log(2) / values
            bits.append(np.minimum(each, MOST_BITS).mean())
        print(f"patches of {patch}, {number:g} values tell the scale: {np.mean(bits):.4f} bits")


if __name__ == "__main__":
    main()
