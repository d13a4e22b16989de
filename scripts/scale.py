"""Measure what docs/scale.md says of many inputs; prints its table.

    python scripts/scale.py

Times are of the processor, not of the clock, so that what else runs on the machine matters little;
those of files are of the clock, as a disk is waited for.
"""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

import preddiff
from preddiff.engines.dense import Dense
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows
from preddiff.results.checkpoint import Checkpoint

PICTURES = 3  # by the embedded network: a minute each
SMALL = 1000  # of 12×12 pixels
GROUP = 10  # passes at once, as random sets come
SETS = 1000


def small_classifier(inputs):
    """Return the softmax of a projection: as quick as a classifier can be."""
    weights = np.random.default_rng(1).normal(size=(inputs[0].size, 3)) / 20
    logits = inputs.reshape(len(inputs), -1) @ weights
    exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponent / exponent.sum(axis=1, keepdims=True)


def of_networks(rng):
    """Return processor seconds a picture of the engine alone, and of the loop with saving."""
    model = preddiff.load_model("embedded")
    pictures = [rng.random((3, 224, 224), dtype=np.float32) for _ in range(PICTURES + 1)]
    engine = Dense(model.faster(pictures[0]), pictures[0], [0])
    batch = np.stack([pictures[0]] * GROUP)
    engine.evaluate_whole(batch)
    begun = time.process_time()
    for _ in range(SETS // GROUP):
        engine.evaluate_whole(batch)
    alone = time.process_time() - begun
    with tempfile.TemporaryDirectory() as folder:
        several = enumerate(preddiff.explain_many(model, pictures))
        next(several)  # what is loaded once
        begun = time.process_time()
        for n, explanation in several:
            preddiff.save(explanation, Path(folder) / f"{n}.zarr")
        looped = (time.process_time() - begun) / PICTURES
    return alone, looped


def of_small_pictures(rng):
    """Return pictures a processor second, and the growth of memory (MiB) from 200 on."""
    inputs = (rng.random((3, 12, 12), dtype=np.float32) for _ in range(SMALL))
    settings = {"window": 4, "stride": 4, "sampler": "constant:0.5", "samples": 2}
    begun, before = time.process_time(), 0
    for n, _ in enumerate(preddiff.explain_many(small_classifier, inputs, **settings)):
        if n == SMALL // 5:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return SMALL / (time.process_time() - begun), grown / 1024


def of_checkpoints(rng):
    """Return milliseconds that a write takes, of random sets and of all windows of a picture."""
    picture = rng.random((3, 224, 224), dtype=np.float32)
    windows = Windows.over((224, 224), 10, 1)
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (SETS, len(windows)):
            path = Path(folder) / "a.npz"
            kept = Checkpoint(path, picture, windows, [0], np.ones(1), {"seed": 0})
            means = RunningMeans.empty(1, count)
            kept.leave(means, {"engine": "dense", "precision": "float32"})
            begun = time.perf_counter()
            for _ in range(20):
                kept.leave(means, {"engine": "dense", "precision": "float32"})
            times.append(1000 * (time.perf_counter() - begun) / 20)
    return times


def main():
    rng = np.random.default_rng(0)
    grown_of = of_small_pictures(rng)
    sets, windows = of_checkpoints(rng)
    alone, looped = of_networks(rng)
    print(
        "| measured | |\n|---|---|\n"
        f"| passes of a picture (1,000, embedded network), engine alone | {alone:.1f} s |\n"
        f"| the same in `explain_many`, with everything and saved | {looped:.1f} s, "
        f"{100 * (looped / alone - 1):.0f} % more |\n"
        f"| small pictures (12×12, 18 passes) a second | {grown_of[0]:.0f} |\n"
        f"| growth of memory from the 200th to the 1,000th of them | {grown_of[1]:.0f} MiB |\n"
        f"| one write of unfinished work, 1,000 sets | {sets:.0f} ms |\n"
        f"| the same, {len(Windows.over((224, 224), 10, 1)):,} windows | {windows:.0f} ms |"
    )


if __name__ == "__main__":
    main()
