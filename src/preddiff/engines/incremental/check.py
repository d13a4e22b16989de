"""The incremental engine held against whole forward passes, before a run."""

import numpy as np
import torch

from preddiff.engines.dense import filled
from preddiff.engines.incremental.engine import Incremental
from preddiff.engines.incremental.execute.boxes import Box
from preddiff.engines.incremental.execute.run import watch_body
from preddiff.engines.incremental.execute.whole import whole
from preddiff.models.networks.recorder import Recorder
from preddiff.types import Corners, Draws

TOLERANCE = 1e-4
"""Share of the range of a network's outputs by which rounding may move them, in float32.

Right boxes are off by 1e-6 of it at most (docs/performance.md). Wrong ones leave out changes, or
put them elsewhere, which is off by as much as a window changes.
"""


_SMALLEST = 1e-30  # nothing is divided by 0

_LEAST_RANGE = 0.1
"""Share of what the network's outputs are, and of what other inputs make of them, below which the
range of some outputs says nothing: there is no range where windows hide a dark border."""


def deviation(engine: Incremental, starts: Corners, draws: Draws) -> float:
    """Return the largest difference from whole forward passes, as a share of their outputs' range.

    Parameters
    ----------
    starts, draws : as `Incremental.evaluate` takes them.
    """
    with torch.inference_mode():
        # A window at a time: whole activations of all would be most of what a run takes in memory.
        expected = torch.cat(
            [
                engine.whole(_perturbed(engine, start[None], draw[None]))
                for start, draw in zip(starts, draws, strict=True)
            ]
        )
        off = float((engine.raw(starts, draws).double() - expected).abs().max())
        scale = _range(expected)
        if not off <= TOLERANCE * scale:
            scale = max(scale, _LEAST_RANGE * _usual_range(engine, expected))
        return off / max(scale, _SMALLEST)


def _usual_range(engine: Incremental, expected: torch.Tensor) -> float:
    """Return how far apart outputs are on other inputs, or from 0, if that is more."""
    inputs = torch.from_numpy(engine.inputs)[None]
    axes = tuple(range(2, inputs.ndim))
    others = [inputs, inputs.flip(axes), inputs.max() + inputs.min() - inputs]
    outputs = torch.cat([engine.whole(each) for each in others])
    return max(_range(torch.cat([outputs, expected])), float(expected.abs().max()))


def first_wrong_node(engine: Incremental, starts: Corners, draws: Draws) -> str | None:
    """Return the first node where boxes and whole outputs part; None if they do nowhere."""
    for start, draw in zip(starts, draws, strict=True):
        name = _first_wrong_node(engine, start[None], draw[None])
        if name is not None:
            return name
    return None


def _first_wrong_node(engine: Incremental, starts: Corners, draws: Draws) -> str | None:
    model = engine.model
    with torch.inference_mode():
        recorder = Recorder(engine.program.module)
        recorder.run(model.normalised(_perturbed(engine, starts, draws)))
        expected = {node.name: value for node, value in recorder.values.items()}
        placements = engine.alignments.placements(starts, draws.shape[1])
        inputs = model.normalised(torch.from_numpy(np.array(draws)).flatten(0, 1))
        for step, result in watch_body(engine.program, placements, inputs):
            if isinstance(result, Box):
                right = expected[step.name]
                if not isinstance(right, torch.Tensor):
                    return step.name
                if _share(whole(result).double(), right.double()) > TOLERANCE:
                    return step.name
    return None


def _perturbed(engine: Incremental, starts: Corners, draws: Draws) -> torch.Tensor:
    """Return whole inputs (window · draw, channel, *spatial), each with a draw in its window."""
    flat = draws.reshape(-1, *draws.shape[2:])
    return torch.from_numpy(filled(engine.inputs, starts.repeat(draws.shape[1], axis=0), flat))


def _share(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest difference as a share of the range of what is expected."""
    scale = max(_range(expected), _LEAST_RANGE * float(expected.abs().max()))
    return float((found - expected).abs().max()) / max(scale, _SMALLEST)


def _range(values: torch.Tensor) -> float:
    return float(values.max() - values.min())
