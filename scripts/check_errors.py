"""How often the error bars of a real network's maps hold what many draws come to.

    python scripts/check_errors.py PICTURE... [--model MODEL] [--seeds 3] [--only sets]

For each picture and each map, a run of 8 times the draws stands for the truth. Of runs with other
seeds, pixels are counted whose values are within 1.96 standard errors of it; its own errors are
added. Honest bars hold 95 % of the time.
"""

import argparse
import math
from pathlib import Path

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


def alone(model: Model, picture: Pixels, seed: int, times: int) -> Maps:
    """Return the maps of single windows: the paper's sampler, in fewer and larger windows."""
    e = preddiff.explain(
        model,
        picture,
        targets=1,
        seed=seed,
        train_size=math.inf,
        sampler="conditional",
        window=16,
        stride=16,
        samples=DRAWS * times,
    )
    return {
        "relevance, windows": (e.relevance.values[0], e.standard_error.values[0]),
        "importance, windows": (e.importance.values[0], e.importance_error.values[0]),
    }


def in_sets(model: Model, picture: Pixels, seed: int, times: int) -> Maps:
    """Return the maps that pictures get by default."""
    e = preddiff.explain(
        model,
        picture,
        targets=1,
        seed=seed,
        train_size=math.inf,
        sampler="blurred:11.2",
        window=16,
        stride=8,
        sets=SETS * times,
    )
    return {
        "relevance, sets": (e.relevance.values[0], e.standard_error.values[0]),
        "importance, sets": (e.importance.values[0], e.importance_error.values[0]),
    }


KINDS = {"windows": alone, "sets": in_sets}


def within(some: tuple[Floats, Floats], truth: tuple[Floats, Floats]) -> float:
    """Return the share of pixels at which two maps agree within 1.96 of their common errors."""
    (a, a_error), (b, b_error) = some, truth
    return float((np.abs(a - b) <= 1.96 * np.hypot(a_error, b_error))[np.isfinite(a)].mean())


def main(pictures: list[Path], spec: str, seeds: int, kinds: list[str]) -> None:
    """Print a table: a row for each map, with mean and standard error over pictures."""
    model = load_model(spec)
    shares: dict[str, list[float]] = {}
    for path in pictures:
        picture = model.prepare(images.read(path))
        for maps in (KINDS[kind] for kind in kinds):
            truth = maps(model, picture, 0, TIMES)
            runs = [maps(model, picture, seed, 1) for seed in range(1, seeds + 1)]
            for name, known in truth.items():
                held = np.mean([within(run[name], known) for run in runs])
                shares.setdefault(name, []).append(held)
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
    parser.add_argument("--only", choices=KINDS)
    given = parser.parse_args()
    kinds = [given.only] if given.only else list(KINDS)
    main(given.pictures, given.model, given.seeds, kinds)
