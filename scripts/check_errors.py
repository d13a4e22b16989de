"""How often the error bars of a real network's maps hold what many draws come to.

    python scripts/check_errors.py PICTURE... [--model MODEL] [--seeds 3]

For each picture and each map, a run of 8 times the draws stands for the truth. Of runs with other
seeds, pixels are counted whose values are within 1.96 standard errors of it; its own errors are
added. Honest bars hold 95 % of the time.
"""

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

import preddiff
from preddiff.media import images
from preddiff.models import Model, load_model
from preddiff.studies import machine
from preddiff.types import Floats, Pixels

DRAWS = 10
SETS = 1000
TIMES = 8  # more draws, and sets, of what stands for the truth

Maps = dict[str, tuple[Floats, Floats]]
"""Values and standard errors, each (y, x), by the map's name."""


def maps(model: Model, picture: Pixels, seed: int, times: int = 1) -> Maps:
    """Return the maps of one seed, of so many times the draws and sets."""
    wish: dict[str, Any] = {"targets": 1, "seed": seed, "train_size": math.inf}
    # The paper's sampler, in fewer and larger windows than the paper's.
    alone = preddiff.explain(
        model, picture, sampler="conditional", window=16, stride=16, samples=DRAWS * times, **wish
    )
    # What pictures get by default.
    sets = preddiff.explain(
        model, picture, sampler="blurred:11.2", window=16, stride=8, sets=SETS * times, **wish
    )
    found = {
        "relevance, windows": (alone.relevance, alone.standard_error),
        "importance, windows": (alone.importance, alone.importance_error),
        "relevance, sets": (sets.relevance, sets.standard_error),
    }
    return {name: (v.values[0], error.values[0]) for name, (v, error) in found.items()}


def within(some: tuple[Floats, Floats], truth: tuple[Floats, Floats]) -> float:
    """Return the share of pixels at which two maps agree within 1.96 of their common errors."""
    (a, a_error), (b, b_error) = some, truth
    return float((np.abs(a - b) <= 1.96 * np.hypot(a_error, b_error))[np.isfinite(a)].mean())


def main(pictures: list[Path], spec: str, seeds: int) -> None:
    """Print a table: a row for each map, with mean and standard error over pictures."""
    model = load_model(spec)
    shares: dict[str, list[float]] = {}
    for path in pictures:
        picture = model.prepare(images.read(path))
        truth = maps(model, picture, seed=0, times=TIMES)
        runs = [maps(model, picture, seed) for seed in range(1, seeds + 1)]
        for name, known in truth.items():
            shares.setdefault(name, []).append(np.mean([within(run[name], known) for run in runs]))
    print(f"{machine.describe()}; {spec}, {len(pictures)} pictures, {seeds} seeds")
    print("\n| map | within 1.96 standard errors |\n|---|---|")
    for name, of_pictures in shares.items():
        error = np.std(of_pictures, ddof=1) / math.sqrt(len(of_pictures))
        print(f"| {name} | {np.mean(of_pictures):.1%} ± {error:.1%} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    main(given.pictures, given.model, given.seeds)
