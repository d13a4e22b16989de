"""The incremental engine held against whole forward passes, before a run."""

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
                engine.model.raw(_perturbed(engine, start[None], draw[None]), engine.node).double()
                for start, draw in zip(starts, draws, strict=True)
            ]
        )
        expected = expected.flatten(2).mean(2) if expected.ndim > 2 else expected
        return _share(engine.raw(starts, draws).double(), expected)


def first_wrong_node(engine: Incremental, starts: Corners, draws: Draws) -> str | None:
    """Return the first node where boxes and whole outputs part; None if they do nowhere."""
    model = engine.model
    with torch.inference_mode():
        recorder = Recorder(engine.program.module)
        recorder.run(model.normalised(_perturbed(engine, starts, draws)))
        expected = {node.name: value for node, value in recorder.values.items()}
        placements = engine.alignments.placements(starts, draws.shape[1])
        inputs = model.normalised(torch.from_numpy(draws).flatten(0, 1))
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
    scale = float(expected.max() - expected.min())
    return float((found - expected).abs().max()) / max(scale, 1e-30)
