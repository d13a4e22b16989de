"""What boxes that are cut off near a window tell of the evidence by the network itself.

    python scripts/cut_boxes.py MODEL PICTURE... [--windows 150]

The incremental engine computes all that a window changes. Here it leaves out what changes more than
some cells away from where the window lies in each layer: cheaper, and no longer exact. What it
leaves unexplained would have to be found by the network itself, on fewer windows. Prints by how
many cells boxes may be larger than the window, which share of the evidence's unevenness is left
unexplained, what a draw costs, and by how many times a map would cost less.
"""

import argparse
import copy
import math
import time

import numpy as np
import torch
from stale_tokens import gain

import preddiff
from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental.compile.alignment import AlignmentTables
from preddiff.engines.incremental.execute.reach import Interval
from preddiff.method.evidence import log2_odds
from preddiff.method.interpolation import Interpolation
from preddiff.method.windows import Windows
from preddiff.samplers.load import load_sampler
from preddiff.studies import machine

WINDOW, DRAWS, TIMED, ROUNDS = 10, 4, 20, 4
CELLS = (1, 2, 3)


class CutOff(AlignmentTables):
    """Boxes that reach no further than some cells from where a window lies."""

    def __init__(self, engine: Incremental, cells: int) -> None:
        self._cells = cells
        super().__init__(engine.program.body, engine.inputs.shape[1:], engine.size)

    def _along(self, axis: int, length: int, size: int) -> np.ndarray:
        low, high = super()._along(axis, length, size)
        positions, sizes = np.arange(length - size + 1), self.sizes[:, [axis]]
        begin = positions * sizes // length - self._cells
        end = -(-(positions + size) * sizes // length) + self._cells
        near = Interval(np.maximum(low, begin), np.minimum(high, end))
        return np.stack([near.low, np.maximum(near.high, near.low + 1)])


def cut_off(engine: Incremental, cells: int) -> Incremental:
    """Return an engine with the same program, and boxes that are cut off."""
    other = copy.copy(engine)
    other.alignments = CutOff(engine, cells)
    return other


def unexplained(every: Windows, visited: np.ndarray, right: np.ndarray, found: np.ndarray) -> float:
    """Return the share of the squared deviations from neighbours that is left by a regression."""
    uneven = Interpolation(every, visited).squared_deviations
    joint = (uneven(right + found) - uneven(right - found)).sum() / 4
    slope = joint / uneven(found).sum()
    return float(uneven(right - slope * found).sum() / uneven(right).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("picture", nargs="+")
    parser.add_argument("--windows", type=int, default=150)
    arguments = parser.parse_args()
    print(machine.describe())
    print("\n| picture | cells | unexplained | cost | gain |\n|---|---|---|---|---|")
    torch.set_num_threads(1)
    model = preddiff.load_model(arguments.model)
    for name in arguments.picture:
        few = preddiff.explain(model, name, stride=100, samples=1)  # for the picture and the class
        picture = few.picture.values.astype(np.float32)
        every = Windows.over(picture.shape[1:], WINDOW)
        visited = np.sort(every.interlaced[: arguments.windows])
        starts = every.starts[visited]
        sampler = load_sampler(
            "conditional", shape=picture.shape, window=WINDOW, margin=2, prepare=model.prepare,
            mean=model.mean,
        )  # fmt: skip
        draws = sampler.draw(picture, every.subset(visited), DRAWS, 0, None)
        whole = Incremental(
            model, picture, few.data["target"].values.tolist(), every.size, batch=TIMED
        )
        engines = [whole, *(cut_off(whole, cells) for cells in CELLS)]
        least = [math.inf] * len(engines)
        for _ in range(ROUNDS):
            for number, engine in enumerate(engines):
                begin = time.process_time()
                engine.evaluate(starts[:TIMED], draws[:TIMED])
                least[number] = min(least[number], time.process_time() - begin)
        evidence = [-log2_odds(e.evaluate(starts, draws)[..., 0].mean(axis=1)) for e in engines]
        for cells, seconds, found in zip(CELLS, least[1:], evidence[1:], strict=True):
            share = unexplained(every, visited, evidence[0], found)
            cost = seconds / least[0]
            print(
                f"| {few.provenance['input']} | {cells} | {share:.1%} | {cost:.2f} | "
                f"{gain(min(share, 1.0), cost):.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
