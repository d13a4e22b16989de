"""Print where the time of a draw goes, by kind of operation, on one processor.

    python scripts/profile_draw.py SPEC [PRECISION [BATCH]]

Beside it the least that this machine would take: for the arithmetic at the rate of a large product
of matrices, for the memory at that of a large copy. Each box is counted as written once and read by
every operation that takes it; what caches keep costs less than that.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image
from skimage import data

import preddiff
from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental.compile.multiply_adds import multiply_adds
from preddiff.engines.incremental.execute.boxes import Box
from preddiff.engines.incremental.execute.convolution import Convolution
from preddiff.engines.incremental.execute.run import watch_body
from preddiff.engines.incremental.execute.steps import Step
from preddiff.engines.precision import DTYPES
from preddiff.method.windows import Windows
from preddiff.studies import machine

_BATCHES, _DRAWS, _WINDOW = 24, 10, (10, 10)
_ROUNDS = 5


def main(spec: str, precision: str = "float32", batch: str = "40") -> None:
    torch.set_num_threads(1)
    dtype = DTYPES[precision]
    model = preddiff.load_model(spec)
    inputs = model.prepare(Image.fromarray(data.chelsea()))
    engine = Incremental(model, inputs, [0], _WINDOW, dtype=dtype)
    seconds, work, moved = profile(engine, int(batch))
    rate, bandwidth = product_rate(dtype), copy_rate(dtype)
    print(f"{machine.describe()}\n{spec}, {precision}, batches of {batch}, one thread: a product")
    print(f"does {rate / 1e9:.0f} GFLOP/s, a copy moves {bandwidth / 1e9:.1f} GB/s\n")
    print(
        "| operation | ms a draw | its arithmetic takes at least | its memory |\n|---|---|---|---|"
    )
    for kind in sorted(seconds, key=lambda kind: -seconds[kind]):
        print(row(kind, seconds[kind], work[kind] / rate, moved[kind] / bandwidth))
    total, least = sum(seconds.values()), (sum(work.values()), sum(moved.values()))
    print(row("all", total, least[0] / rate, least[1] / bandwidth))


def row(kind: str, *seconds: float) -> str:
    return f"| {kind} | {' | '.join(f'{1000 * each:.2f}' for each in seconds)} |"


def profile(engine: Incremental, batch: int) -> tuple[dict[str, float], ...]:
    """Of a draw by kind: seconds, floating-point operations, bytes."""
    every = Windows.over(engine.inputs.shape[1:], _WINDOW)
    windows = batch // _DRAWS
    chosen = every.starts[every.interlaced[: windows * _BATCHES]]
    order = engine.alignments.similar(chosen)
    random = np.random.default_rng(0)
    draws = random.random((batch, len(engine.inputs), *_WINDOW), dtype=np.float32)
    values = engine.model.normalised(torch.from_numpy(draws))
    seconds, work, moved = (defaultdict[str, float](float) for _ in range(3))
    program = engine.program
    for which in np.array_split(chosen[order], _BATCHES):
        placements = engine.alignments.placements(which, _DRAWS)
        best = np.full(len(program.body), np.inf)
        with torch.inference_mode():
            for _ in range(_ROUNDS):
                best = np.minimum(best, times(watch_body(program, placements, values)))
            results = dict(watch_body(program, placements, values))
        for step, taken in zip(program.body, best, strict=True):
            kind = name(step)
            seconds[kind] += taken / batch / _BATCHES
            work[kind] += 2 * multiply_adds(step, placements)[1] / _BATCHES
            held = sum(size(results[each]) for each in (step, *step.inputs))
            moved[kind] += held / batch / _BATCHES
    return seconds, work, moved


def times(steps: Iterator[object]) -> list[float]:
    """Seconds of each."""
    taken, begin = [], time.perf_counter()
    for _ in steps:
        now = time.perf_counter()
        taken.append(now - begin)
        begin = now
    return taken


def name(step: Step) -> str:
    kind = type(step.operation).__name__
    if isinstance(step.operation, Convolution):
        return f"{kind} {'×'.join(map(str, step.operation.weight.shape[2:]))}"
    return kind


def size(result: object) -> int:
    """Bytes of a box, as it is held."""
    if not isinstance(result, Box):
        return 0
    held = result.held
    return held.numel() * held.element_size()


def product_rate(dtype: torch.dtype) -> float:
    """Floating-point operations per second."""
    left, right = (torch.ones(shape, dtype=dtype) for shape in ((4096, 1024), (1024, 1024)))
    return 2 * 4096 * 1024 * 1024 / least(lambda: left @ right)


def copy_rate(dtype: torch.dtype) -> float:
    """Bytes per second, read and written."""
    there = torch.ones(1 << 26, dtype=dtype)
    back = torch.empty_like(there)
    return 2 * there.numel() * there.element_size() / least(lambda: back.copy_(there))


def least(work: Callable) -> float:
    taken = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


if __name__ == "__main__":
    main(*sys.argv[1:])
