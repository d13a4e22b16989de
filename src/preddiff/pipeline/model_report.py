"""What a model is, and what explaining one picture with it costs."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from preddiff.engines import Engine, Task, choose
from preddiff.engines.incremental import Incremental
from preddiff.method.windows import Windows
from preddiff.models import Model
from preddiff.pipeline import progress

_WINDOW, _SAMPLES = 10, 10  # the paper's settings
_TRIED, _SAVED = 8, 64  # windows that are timed, and that multiply-adds are counted for


def inspect(model: Model) -> tuple[dict[str, str], Mapping[str, tuple[int, ...]]]:
    """Facts in words, and the shapes of the model's nodes where its input's size is known."""
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


def _cost(model: Model, inputs: NDArray[np.float32]) -> dict[str, str]:
    windows = Windows.over(inputs.shape[1:], min(_WINDOW, *inputs.shape[1:]))
    some = windows.subset(np.linspace(0, len(windows) - 1, _TRIED).astype(np.int64))
    shape = (_TRIED, _SAMPLES, len(inputs), *windows.size)
    task = Task(
        model=model,
        inputs=inputs,
        targets=[0],
        node=None,
        size=windows.size,
        starts=some.starts,
        draws=np.random.default_rng(0).random(shape, dtype=np.float32),
        evidence=lambda values: values.mean(axis=1).T,
        total=len(windows) * _SAMPLES,
    )
    chosen = choose(task)
    engine, facts = chosen.engine, chosen.facts
    seconds = task.seconds(engine)
    total = progress.duration(len(windows) * _SAMPLES * seconds)
    return {
        "engine": f"{facts['engine']}, {facts['precision']}",
        **_boxes(engine),
        "one evaluation": f"{1000 * seconds:.1f} ms",
        "one picture": f"{len(windows):,} windows × {_SAMPLES} draws at stride 1: {total}",
    }


def _boxes(engine: Engine) -> dict[str, str]:
    """What the incremental engine can do in boxes."""
    if not isinstance(engine, Incremental):
        return {}
    windows = Windows.over(engine.inputs.shape[1:], engine.size)
    some = windows.subset(windows.interlaced[:_SAVED])
    whole = engine.program.whole
    return {
        "in boxes": f"multiply-adds of whole passes / {engine.saved(some.starts):.1f}"
        + (f"; whole outputs for {', '.join(whole)}" if whole else "")
    }
