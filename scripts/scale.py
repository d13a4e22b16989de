"""Measure what docs/scale.md says of many inputs; prints its tables.

    python scripts/scale.py             # one process
    python scripts/scale.py --cluster   # workers of Dask (extra `cluster`), and a million pictures

Times are of the processor, not of the clock, so that what else runs on the machine matters little;
those of files and of clusters are of the clock, as they wait. Set OMP_NUM_THREADS=1.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import preddiff
from preddiff.engines.dense import Dense
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows
from preddiff.pipeline.cluster.scheduler import connected
from preddiff.results.checkpoint import Checkpoint

PICTURES = 3  # by the embedded network: a minute each
SMALL = 1000  # of 12×12 pixels
GROUP = 10  # passes at once, as random sets come
SETS = 1000
STEPS, MATRIX = 200, np.random.default_rng(2).normal(size=(128, 128))  # of work that is only work
BUSY = 24  # inputs of such work, a second each
CHUNK_RUNS = 5
MILLION = 1_000_000


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
        preddiff.save(next(several)[1], Path(folder) / "0.zarr")  # what is loaded once
        begun = time.process_time()
        for n, explanation in several:
            preddiff.save(explanation, Path(folder) / f"{n}.zarr")
        looped = (time.process_time() - begun) / PICTURES
    return alone, looped


def rows_of_networks(alone, looped):
    """Return what `of_networks` found as rows of a table."""
    return (
        f"| passes of a picture (1,000, embedded network), engine alone | {alone:.1f} s |\n"
        f"| the same in `explain_many`, with everything and saved | {looped:.1f} s, "
        f"{100 * (looped / alone - 1):.0f} % more |\n"
    )


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


def busy(inputs):
    """Return the same as the small classifier, after some time of work."""
    for _ in range(STEPS * len(inputs)):
        np.linalg.norm(MATRIX @ MATRIX)
    return small_classifier(inputs)


def of_work(workers, rng):
    """Return seconds of the clock in which workers explain the same inputs."""
    settings = {"window": 4, "stride": 2, "sampler": "constant:0.5", "samples": 2}
    inputs = [rng.random((3, 12, 12), dtype=np.float32) for _ in range(BUSY)]
    with connected(f"local:{workers}", None) as client:
        first = inputs[: 2 * workers]  # of which workers load what they need
        list(preddiff.explain_many(small_classifier, first, client=client, **settings))
        begun = time.perf_counter()
        list(preddiff.explain_many(busy, inputs, client=client, **settings))
        return time.perf_counter() - begun


def of_small_pictures_there(rng):
    """Return what two workers take for small pictures, and how much memory grows.

    Returns
    -------
    seconds of the clock, and of the collector's processor, of a picture; MiB from the 200th on of
    the collector, and of the worker that grew most.
    """
    settings = {"window": 4, "stride": 4, "sampler": "constant:0.5", "samples": 2}
    inputs = [rng.random((3, 12, 12), dtype=np.float32) for _ in range(SMALL)]
    with connected("local:2", None) as client:
        settings |= {"client": client}
        list(preddiff.explain_many(small_classifier, inputs[:8], **settings))
        begun, used = time.perf_counter(), time.process_time()
        for n, _ in enumerate(preddiff.explain_many(small_classifier, inputs, **settings)):
            if n == SMALL // 5:
                here, there = peak(), client.run(peak)
        each = (time.perf_counter() - begun) / SMALL
        used = (time.process_time() - used) / SMALL
        after = client.run(peak)
        return each, used, peak() - here, max(after[name] - there[name] for name in after)


def peak():
    """Return the largest memory that this process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def of_chunks(rng):
    """Return milliseconds of the clock, and of the collector's processor, of a chunk of no work."""
    picture = rng.random((3, 40, 40), dtype=np.float32)
    settings = {"window": 4, "sampler": "constant:0.5", "samples": 1, "targets": 0}
    found = []
    with connected("local:2", None) as client:
        for each in (None, client):  # the same without and with workers
            preddiff.explain(small_classifier, picture, client=each, **settings)
            begun, used = time.perf_counter(), time.process_time()
            for _ in range(CHUNK_RUNS):
                preddiff.explain(small_classifier, picture, client=each, **settings)
            found.append((time.perf_counter() - begun, time.process_time() - used))
    chunks = CHUNK_RUNS * -(-(37 * 37) // max(16, 37 * 37 // 64))
    here, there = found
    return tuple(1000 * (b - a) / chunks for a, b in zip(here, there, strict=True))


def of_clusters(rng):
    """Print the table of clusters, and what a million pictures take."""
    one, two = of_work(1, rng), of_work(2, rng)
    each, used, *grown = of_small_pictures_there(rng)
    clock, processor = of_chunks(rng)
    print(
        "| measured | |\n|---|---|\n"
        f"| the same work on two workers, over one | {two / one:.2f} ({two:.0f} s, {one:.0f} s) |\n"
        f"| a chunk without work, clock | {clock:.1f} ms |\n"
        f"| a chunk without work, the collector's processor | {processor:.1f} ms |\n"
        f"| a small picture, the collector's processor | {1000 * used:.0f} ms |\n"
        f"| small pictures a second, two workers | {1 / each:.0f} |\n"
        f"| growth of memory from the 200th to the 1,000th, collector | {grown[0]:.0f} MiB |\n"
        f"| the same, the worker that grew most | {grown[1]:.0f} MiB |\n"
    )
    passes, looped = of_networks(rng)
    print(rows_of_networks(passes, looped))
    collector = looped - passes + SETS / GROUP * processor / 1000
    print("| workers | a million pictures, wall | processor time | limited by |\n|---|---|---|---|")
    for workers in (1, 100, 10_000):
        by_workers = MILLION * passes / workers
        wall = max(by_workers, MILLION * collector)
        limit = "workers" if wall == by_workers else "the collector"
        total = MILLION * (passes + collector)
        print(f"| {workers:,} | {days(wall)} | {days(total)} | {limit} |")
    print(
        f"\nA picture is {passes:.1f} s of a worker and {collector:.2f} s of the collector, "
        f"which is the limit from {passes / collector:.0f} workers on; the same with "
        f"{-(-10_000 * collector // passes):.0f} collectors, each with a part of the table, lets "
        f"10,000 workers end in {days(MILLION * passes / 10_000)}."
    )


def days(seconds):
    """Return a time in days, hours or minutes."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.0f} s"


def main():
    if sys.argv[1:] == ["--cluster"]:
        of_clusters(np.random.default_rng(0))
        return
    rng = np.random.default_rng(0)
    grown_of = of_small_pictures(rng)
    sets, windows = of_checkpoints(rng)
    alone, looped = of_networks(rng)
    print(
        f"| measured | |\n|---|---|\n{rows_of_networks(alone, looped)}"
        f"| small pictures (12×12, 18 passes) a second | {grown_of[0]:.0f} |\n"
        f"| growth of memory from the 200th to the 1,000th of them | {grown_of[1]:.0f} MiB |\n"
        f"| one write of unfinished work, 1,000 sets | {sets:.0f} ms |\n"
        f"| the same, {len(Windows.over((224, 224), 10, 1)):,} windows | {windows:.0f} ms |"
    )


if __name__ == "__main__":
    main()
