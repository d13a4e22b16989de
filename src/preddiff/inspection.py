"""What a model is, and what explaining one picture with it costs."""

from collections.abc import Mapping

import numpy as np

from preddiff import progress
from preddiff.engines import Dense, seconds_per_draw
from preddiff.models import Model
from preddiff.windows import Windows

_WINDOW, _SAMPLES = 10, 10  # the paper's settings


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


def _cost(model: Model, inputs: np.ndarray) -> dict[str, str]:
    windows = Windows.over(inputs.shape[1:], min(_WINDOW, *inputs.shape[1:]))
    box = inputs[(slice(None), *(slice(0, k) for k in windows.size))]
    seconds = seconds_per_draw(Dense(model, inputs, [0]), windows.starts[0], box)
    total = progress.duration(len(windows) * _SAMPLES * seconds)
    return {
        "one evaluation": f"{1000 * seconds:.1f} ms",
        "one picture": f"{len(windows):,} windows × {_SAMPLES} draws at stride 1: {total}",
    }
