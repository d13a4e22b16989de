"""How many draws of a window a sampler needs for evidence with an error of 10 %.

    python scripts/draws_needed.py conditional student mixture:mixed.npz --on FOLDER

Windows of 10, one in each 32 × 32 pixels, in the first pictures of a folder. The root mean square
of the evidence's standard errors, divided by that of the evidence, falls as one over the square
root of the number of draws: a few independent draws say when it is 10 %. Prints the median over
pictures and its quartiles, as the evidence of some pictures is next to nothing.
"""

import argparse

import numpy as np

import preddiff
from preddiff.media import folders
from preddiff.samplers.base import Sampler
from preddiff.samplers.load import load_sampler, sampler_name
from preddiff.studies import machine

WINDOW, STRIDE, SAMPLES = 10, 32, 8
WANTED = 0.1


def needed(model: preddiff.models.Model, picture: np.ndarray, sampler: Sampler) -> float:
    """How many draws make the root mean square error a tenth of that of the evidence."""
    e = preddiff.explain(
        model, picture, sampler=sampler, window=WINDOW, stride=STRIDE, samples=SAMPLES
    )
    error, evidence = (np.square(each.values).mean() for each in (e.evidence_error, e.evidence))
    # What draws happen to add to the evidence is in its square as well.
    pool, wanted = sampler.population or np.inf, WANTED**2 * (evidence - error)
    if wanted <= 0:
        return np.inf
    if not np.isfinite(pool):
        return SAMPLES * error / wanted
    # Without replacement, the square of the error of S draws of n is v / S · (n - S) / (n - 1).
    spread = error * SAMPLES * (pool - 1) / (pool - SAMPLES)
    return pool * spread / (spread + (pool - 1) * wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samplers", nargs="+")
    parser.add_argument("--on", required=True, metavar="FOLDER")
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--model", default="embedded")
    arguments = parser.parse_args()
    model = preddiff.load_model(arguments.model)
    paths = folders.find_pictures(arguments.on)[: arguments.pictures]
    pictures = [model.prepare(preddiff.media.images.read(path)) for path in paths]
    print(machine.describe())
    print(f"{len(pictures)} pictures, error of {WANTED:.0%} of the evidence")
    print("\n| sampler | draws of a window | quartiles |\n|---|---|---|")
    for spec in arguments.samplers:
        sampler = load_sampler(
            spec, shape=pictures[0].shape, window=WINDOW, margin=2, prepare=model.prepare,
            mean=model.mean,
        )  # fmt: skip
        found = [needed(model, picture, sampler) for picture in pictures]
        low, middle, high = np.quantile(found, [0.25, 0.5, 0.75])
        print(f"| `{sampler_name(spec)}` | {middle:.0f} | {low:.0f} to {high:.0f} |", flush=True)


if __name__ == "__main__":
    main()
