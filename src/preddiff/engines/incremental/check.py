"""The incremental engine held against whole forward passes, before a run."""

import numpy as np
import torch
from numpy.typing import NDArray

from preddiff.engines.dense import filled
from preddiff.engines.incremental.engine import Incremental
from preddiff.engines.incremental.execute.boxes import Box
from preddiff.engines.incremental.execute.operations import whole
from preddiff.engines.incremental.execute.run import watch_body
from preddiff.models.networks.recorder import Recorder

TOLERANCE = 1e-4
"""Share of the range of a network's outputs by which rounding may move them, in float32."""


def deviation(engine: Incremental, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> float:
    """Largest difference from whole forward passes, as a share of the range of their outputs.

    Parameters
    ----------
    starts, draws : as `Incremental.evaluate` takes them.
    """
    with torch.inference_mode():
        # A window at a time: whole activations of all would be most of what a run takes in memory.
        expected = torch.cat(
            [
                engine.model.raw(_perturbed(engine, start[None], draw[None]), engine.node).double()
                for start, draw in zip(starts, draws, strict=True)
            ]
        )
        expected = expected.flatten(2).mean(2) if expected.ndim > 2 else expected
        return _share(engine.raw(starts, draws).double(), expected)


def first_wrong_node(
    engine: Incremental, starts: NDArray[np.int64], draws: NDArray[np.float32]
) -> str | None:
    """Return the first node where boxes and whole outputs part; None if they do nowhere."""
    model = engine.model
    with torch.inference_mode():
        recorder = Recorder(engine.program.module)
        recorder.run(model.normalised(_perturbed(engine, starts, draws)))
        expected = {node.name: value for node, value in recorder.values.items()}
        places = engine.places.of(starts, draws.shape[1])
        inputs = model.normalised(torch.from_numpy(draws).flatten(0, 1))
        for step, result in watch_body(engine.program, places, inputs):
            if isinstance(result, Box):
                right = expected[step.name]
                if not isinstance(right, torch.Tensor):
                    return step.name
                if _share(whole(result).double(), right.double()) > TOLERANCE:
                    return step.name
    return None


def _perturbed(
    engine: Incremental, starts: NDArray[np.int64], draws: NDArray[np.float32]
) -> torch.Tensor:
    flat = draws.reshape(-1, *draws.shape[2:])
    return torch.from_numpy(filled(engine.inputs, starts.repeat(draws.shape[1], axis=0), flat))


def _share(found: torch.Tensor, expected: torch.Tensor) -> float:
    scale = float(expected.max() - expected.min())
    return float((found - expected).abs().max()) / max(scale, 1e-30)
