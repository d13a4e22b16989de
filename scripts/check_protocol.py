"""How a whole protocol compares with whole forward passes, and runs with a tolerance with it.

    preddiff explain cat.jpg --model MODEL -o full
    preddiff explain cat.jpg --model MODEL --tolerance 0.1 --seed 1 -o tenth
    python scripts/check_protocol.py MODEL full/cat.zarr tenth/cat.zarr

Windows of the whole protocol, chosen at random, are evaluated again as Algorithm 1 is written, with
the same draws. Of each further result it prints how many fewer draws it took, by how much its map
truly differs from the whole protocol's, less what that one's own error makes up, and how many of
the pixels differ by less than 1.96 of their common standard errors. Another seed gives it draws of
its own.
"""

import sys
from pathlib import Path

import numpy as np

import preddiff
from preddiff.method.evidence import IMAGENET_TRAIN_SIZE, laplace, log2_odds
from preddiff.method.windows import Windows
from preddiff.models import Model
from preddiff.results.explanation import Explanation
from preddiff.samplers.load import load_sampler

WINDOWS = 200


def main(spec: str, whole: str, *others: str) -> None:
    full = preddiff.load(whole)
    facts = full.provenance
    print(
        f"{whole}: {facts['evaluations']:,} evaluations, {facts['seconds'] / 60:.1f} min in its "
        f"last run, said relative error {facts['relative_error']:.3f}; {facts['machine']}"
    )
    print(against_forward_passes(full, preddiff.load_model(spec)))
    for path in others:
        print(f"{Path(path).parent.name}: {against(full, preddiff.load(path))}")


def against_forward_passes(full: Explanation, model: Model) -> str:
    facts, inputs = full.provenance, full.picture.values
    k, number = facts["window"], np.random.default_rng(0)
    starts = full.data["window_start"].values
    chosen = number.choice(len(starts), WINDOWS, replace=False)
    windows = Windows(inputs.shape[1:], (k, k), starts[chosen])
    sampler = load_sampler(
        facts["sampler"],
        shape=inputs.shape,
        window=k,
        margin=facts["margin"],
        prepare=model.prepare,
        mean=model.mean,
    )
    draws = sampler.draw(inputs, windows, facts["samples"], facts["seed"], (0, 1))
    target = full.relevance["target"].values
    off, found = [], full.evidence.values[:, chosen].T
    for (y, x), each, evidence in zip(windows.starts, draws, found, strict=True):
        hidden = np.repeat(inputs[None], len(each), axis=0)
        hidden[:, :, y : y + k, x : x + k] = each
        off.append(odds(model, inputs[None], target) - odds(model, hidden, target) - evidence)
    return (
        f"{WINDOWS} windows at random, whole forward passes of the same draws: evidence is off by "
        f"at most {np.abs(off).max():.2g} bits, where its root mean square is {rms(found):.2g}"
    )


def odds(model: Model, inputs: np.ndarray, target: np.ndarray) -> np.ndarray:
    p = model.predict(inputs)
    return log2_odds(laplace(p.mean(axis=0), IMAGENET_TRAIN_SIZE, p.shape[1]))[target]


def against(full: Explanation, some: Explanation) -> str:
    apart = some.relevance.values - full.relevance.values
    own, error = full.standard_error.values, some.standard_error.values
    size = rms(full.relevance) ** 2 - rms(own) ** 2
    true = np.sqrt(max(0.0, rms(apart) ** 2 - rms(own) ** 2) / size)
    known = np.isfinite(apart)
    within = np.mean((np.abs(apart) < 1.96 * np.hypot(own, error))[known])
    facts = some.provenance
    fewer = full.provenance["evaluations"] / facts["evaluations"]
    return (
        f"asked for {facts['tolerance']}, said {facts['relative_error']:.3f}, true {true:.3f}; "
        f"{facts['evaluations']:,} evaluations, {fewer:.1f} times fewer, {facts['seconds']:.0f} s; "
        f"{within:.1%} of pixels within 1.96 standard errors"
    )


def rms(values: object) -> float:
    return float(np.sqrt(np.nanmean(np.square(values))))


if __name__ == "__main__":
    main(*sys.argv[1:])
