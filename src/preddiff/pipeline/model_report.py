"""Report on a model: what it is, and what explaining one picture with it costs."""

import time
from collections.abc import Mapping

import numpy as np

from preddiff.engines import Engine, Task, choose
from preddiff.engines.dense import Dense
from preddiff.engines.incremental import Incremental
from preddiff.engines.probe import probe
from preddiff.method.windows import Windows
from preddiff.models import Model
from preddiff.pipeline import progress
from preddiff.pipeline.settings import SAMPLES, SETS, WINDOW
from preddiff.types import Pixels

_PROBE_WINDOWS = 8  # that are timed
_COUNTED_WINDOWS = 64  # that multiply-adds are counted for: enough to meet every alignment


def inspect(model: Model) -> tuple[dict[str, str], Mapping[str, tuple[int, ...]]]:
    """Return facts in words, and the shapes of the nodes where the input's size is known."""
    facts = {
        "model": model.spec,
        "weights (SHA-256)": model.sha256 or "unknown",
        "training examples": f"{model.train_size:,}" if model.train_size else "unknown",
    }
    if model.shape is None:
        return {**facts, "input": "any size"}, {}
    inputs = np.full(model.shape, 0.5, dtype=np.float32)
    classes = model.predict(inputs[None]).shape[1]
    return {
        **facts,
        "input": "×".join(map(str, model.shape)),
        "classes": f"{classes:,}" + (f" ({model.labels[0]}, …)" if model.labels else ""),
        "output": model.output,
        **_cost(model, inputs),
    }, model.nodes(inputs)


def _cost(model: Model, inputs: Pixels) -> dict[str, str]:
    """Return what one picture costs, timed on noise: values do not change the time of a draw."""
    windows = Windows.over(inputs.shape[1:], min(WINDOW, *inputs.shape[1:]))
    some = probe(windows, _PROBE_WINDOWS)
    shape = (_PROBE_WINDOWS, SAMPLES, len(inputs), *windows.size)
    task = Task(
        model=model,
        inputs=inputs,
        targets=[0],
        node=None,
        size=windows.size,
        starts=some.starts,
        draws=np.random.default_rng(0).random(shape, dtype=np.float32),
        evidence=lambda values: values.mean(axis=1).T,
        total=len(windows) * SAMPLES,
    )
    chosen = choose(task)
    engine, facts = chosen.engine, chosen.facts
    seconds = task.seconds(engine)
    total = progress.duration(len(windows) * SAMPLES * seconds)
    return {
        "engine": f"{facts['engine']}, {facts['precision']}",
        **_boxes(engine),
        "one evaluation": f"{1000 * seconds:.1f} ms",
        **_sets(model, inputs),
        "one picture, --paper": f"{len(windows):,} windows × {SAMPLES} draws at stride 1: {total}",
    }


def _sets(model: Model, inputs: Pixels) -> dict[str, str]:
    """Return what a picture costs of which nothing is said of its sampling; scans have no sets."""
    if inputs.ndim != 3:
        return {}
    dense = Dense(model.faster(inputs), inputs, [0])
    batch = np.repeat(inputs[None], dense.batch, axis=0)
    dense.evaluate_whole(batch)  # the first passes of a network are slow
    started = time.perf_counter()
    dense.evaluate_whole(batch)
    seconds = (time.perf_counter() - started) / len(batch)
    by = f" by {dense.model.runtime}" if dense.model.runtime else ""
    total = progress.duration(SETS * seconds)
    return {
        "one whole pass": f"{1000 * seconds:.1f} ms{by}",
        "one picture": f"{SETS:,} sets of windows: {total}",
    }


def _boxes(engine: Engine) -> dict[str, str]:
    """Return what the incremental engine can do in boxes; nothing for other engines."""
    if not isinstance(engine, Incremental):
        return {}
    windows = Windows.over(engine.inputs.shape[1:], engine.size)
    some = windows.subset(windows.interlaced[:_COUNTED_WINDOWS])
    whole = engine.program.whole
    return {
        "in boxes": f"multiply-adds of whole passes / {engine.saved(some.starts):.1f}"
        + (f"; whole outputs for {', '.join(whole)}" if whole else "")
    }
