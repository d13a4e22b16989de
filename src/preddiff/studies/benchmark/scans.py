"""What a scan costs in closed form, and how much more by draws: 91×109×91 voxels, k = 3, l = 7."""

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preddiff.engines import Dense
from preddiff.method.windows import Windows
from preddiff.models import Linear
from preddiff.pipeline.explain import explain
from preddiff.samplers import ConditionalGaussian, Located, Marginal, Sampler
from preddiff.samplers.gaussian.cell_grid import CellGrid

_SHAPE = (1, 91, 109, 91)  # the paper's, section 4.2
_WINDOW, _PATCH, _SAMPLES = 3, 7, 10
_GRID = (20, 20, 20)
_POOL = 20
_ROUNDS = 3
_DRAWN = 4  # windows that are timed by draws
_COHORT, _MASKED = 8, 12  # volumes, and voxels along each axis, that a located sampler is fitted on


@dataclass(frozen=True)
class Row:
    """One sampler.

    Attributes
    ----------
    first, again : seconds of a scan with a new sampler, and with one that was used before.
    busy : seconds that the processors were busy with the latter, at least.
    drawn : seconds of a window by ten draws.
    memory : bytes, the process's peak by then.
    """

    name: str
    windows: int
    first: float
    again: float
    busy: float
    drawn: float
    memory: float

    def __str__(self) -> str:
        return (
            f"| {self.name} | {self.windows:,} | {self.first:.2f} | {self.again:.2f} "
            f"| {self.busy:.2f} "
            f"| {1e-9 * self.memory:.2f} | {1000 * self.drawn:.0f} "
            f"| {self.drawn * self.windows / self.again:,.0f} |"
        )


HEADER = """\
| sampler | windows | first scan, s | next scan, s | processor time, s | peak memory of the \
process, GB | a window by ten draws, ms | draws / closed form |
|---|---|---|---|---|---|---|---|"""


def measure() -> Iterator[Row]:
    """A row for each sampler; the last one needs most memory."""
    random = np.random.default_rng(0)
    scan = random.standard_normal(_SHAPE, dtype=np.float32)
    two = Linear(0.01 * random.standard_normal(_SHAPE))
    three = Linear(0.01 * random.standard_normal((3, *_SHAPE)), np.zeros(3))
    pool = random.standard_normal((_POOL, *_SHAPE), dtype=np.float32)
    normal = _normal(random)
    explain(
        Linear(np.ones((1, 4, 4))), scan[:, 0, :4, :4], sampler="constant:0", window=2
    )  # imports
    yield _row("conditional, 2 classes", two, scan, normal)
    yield _row("conditional, 3 classes", three, scan, _normal(random))
    yield _row(f"marginal, pool of {_POOL}", two, scan, Marginal(pool))
    yield _row("located, 20×20×20 cells", two, scan, _located(normal))


def seconds_to_fit() -> float:
    """Of a located sampler: seconds of processor time for a volume and a thousand cells."""
    random = np.random.default_rng(0)
    cohort = [random.standard_normal(_SHAPE, dtype=np.float32) for _ in range(_COHORT)]
    mask = np.zeros(_SHAPE[1:], dtype=bool)
    mask[tuple(slice(n // 2, n // 2 + _MASKED) for n in mask.shape)] = True
    begin = time.process_time()
    located = Located.fit(cohort, patch=_PATCH, grid=_GRID, mask=mask)
    return 1000 * (time.process_time() - begin) / len(cohort) / len(located.fitted)


def _row(name: str, model: Linear, scan: NDArray[np.float32], sampler: Sampler) -> Row:
    seconds, busy = [], []
    for _ in range(_ROUNDS):
        begin, worked = time.perf_counter(), time.process_time()
        found = explain(model, scan, 1, sampler=sampler, window=_WINDOW)
        seconds.append(time.perf_counter() - begin)
        busy.append(time.process_time() - worked)
    memory = _peak()
    drawn = _drawn(model, scan, sampler)
    windows = found.data.sizes["window"]
    return Row(name, windows, seconds[0], min(seconds[1:]), min(busy[1:]), drawn, memory)


def _drawn(model: Linear, scan: NDArray[np.float32], sampler: Sampler) -> float:
    """Seconds of a window by draws, the least of several rounds."""
    every = Windows.over(scan.shape[1:], _WINDOW)
    some = every.subset(every.interlaced[:_DRAWN])
    engine, best = Dense(model, scan, [1]), math.inf
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        engine.evaluate(some.starts, sampler.draw(scan, some, _SAMPLES, 0, None))
        best = min(best, (time.perf_counter() - begin) / _DRAWN)
    return best


def _normal(random: np.random.Generator) -> ConditionalGaussian:
    """Some normal: which one changes no time."""
    size = _PATCH**3
    root = random.standard_normal((size, size))
    return ConditionalGaussian(np.zeros(size), root @ root.T / size, (1, *(_PATCH,) * 3))


def _located(cohort: ConditionalGaussian) -> Located:
    """A sampler of which every cell has a normal of its own, if the same as any other's."""
    grid, size = CellGrid.over(_SHAPE[1:], _PATCH, _GRID), len(cohort.mean)
    cells = math.prod(grid.cells)
    one = np.eye(size, dtype=np.float32)[np.tri(size, dtype=bool)]
    return Located(
        grid, cohort.shape, cohort.mean, cohort.covariance, np.arange(cells),
        np.zeros((cells, size), dtype=np.float32), np.tile(one, (cells, 1)),
    )  # fmt: skip


def _peak() -> float:
    """Bytes; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:
        return math.nan
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
