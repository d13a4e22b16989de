"""The cost of a scan in closed form, and by draws: 91×109×91 voxels, k = 3, l = 7 (section 4.2)."""

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from preddiff.engines import Dense
from preddiff.method.windows import Windows
from preddiff.models import Linear
from preddiff.pipeline.explain import explain
from preddiff.samplers import Cohort, ConditionalGaussian, Located, Marginal, Sampler
from preddiff.samplers.brain.cohort import GUARD
from preddiff.samplers.brain.factors import Factors
from preddiff.samplers.brain.noise import Noise
from preddiff.samplers.brain.normal import BrainNormal
from preddiff.samplers.gaussian.cell_grid import CellGrid
from preddiff.studies.benchmark.timing import least_seconds
from preddiff.types import Pixels

SCAN_TABLE_HEADER = """\
| sampler | windows | first scan, s | next scan, s | processor time, s | peak memory of the \
process, GB | a window by ten draws, ms | draws / closed form |
|---|---|---|---|---|---|---|---|"""
"""Head of the Markdown table whose rows are `ScanCost`."""

_SHAPE = (1, 91, 109, 91)  # the paper's scans
_WINDOW, _PATCH, _SAMPLES = 3, 7, 10
_CELLS = (20, 20, 20)
_POOL_SIZE = 20
_FACTORS = 20
_SCANS_TIMED = 3  # the first one with a new sampler, and two more
_WINDOWS_DRAWN = 4  # windows that are timed by draws
# What a located sampler's fitting is timed on: volumes, and voxels along each axis of the mask.
_FITTED_VOLUMES, _MASK_LENGTH = 8, 12


@dataclass(frozen=True)
class ScanCost:
    """One row of the table: what explaining one scan with one sampler costs.

    Attributes
    ----------
    first, again : seconds for a scan with a new sampler, and with one that was used before.
    busy : seconds of processor time for the latter, at least.
    drawn : seconds for a window by ten draws.
    memory : bytes, the process's peak so far.
    """

    name: str
    windows: int
    first: float
    again: float
    busy: float
    drawn: float
    memory: float

    def __str__(self) -> str:
        """Return the row in Markdown."""
        return (
            f"| {self.name} | {self.windows:,} | {self.first:.2f} | {self.again:.2f} "
            f"| {self.busy:.2f} "
            f"| {1e-9 * self.memory:.2f} | {1000 * self.drawn:.0f} "
            f"| {self.drawn * self.windows / self.again:,.0f} |"
        )


def measure_scans() -> Iterator[ScanCost]:
    """Yield the cost for each sampler as soon as it is measured.

    The one that needs most memory comes last, because a process's peak never falls.
    """
    random = np.random.default_rng(0)
    scan = random.standard_normal(_SHAPE, dtype=np.float32)
    two_classes = Linear(0.01 * random.standard_normal(_SHAPE))
    three_classes = Linear(0.01 * random.standard_normal((3, *_SHAPE)), np.zeros(3))
    pool = random.standard_normal((_POOL_SIZE, *_SHAPE), dtype=np.float32)
    normal = _random_normal(random)
    # A tiny scan first, so that the first row does not count the time of imports.
    tiny = Linear(np.ones((1, 4, 4)))
    explain(tiny, scan[:, 0, :4, :4], sampler="constant:0", window=2)
    yield _measure("conditional, 2 classes", two_classes, scan, normal)
    # A new sampler, so that its first scan is a first one.
    yield _measure("conditional, 3 classes", three_classes, scan, _random_normal(random))
    yield _measure(f"marginal, pool of {_POOL_SIZE}", two_classes, scan, Marginal(pool))
    yield _measure(f"cohort, {_FACTORS} factors", two_classes, scan, _cohort(random))
    yield _measure("located, 20×20×20 cells", two_classes, scan, _located(normal))


def fitting_seconds() -> float:
    """Return the processor time of fitting a located sampler, per volume and thousand cells."""
    random = np.random.default_rng(0)
    volumes = [random.standard_normal(_SHAPE, dtype=np.float32) for _ in range(_FITTED_VOLUMES)]
    mask = np.zeros(_SHAPE[1:], dtype=bool)
    mask[tuple(slice(n // 2, n // 2 + _MASK_LENGTH) for n in mask.shape)] = True
    begin = time.process_time()
    located = Located.fit(volumes, patch=_PATCH, grid=_CELLS, mask=mask)
    return 1000 * (time.process_time() - begin) / len(volumes) / len(located.fitted)


def _measure(name: str, model: Linear, scan: Pixels, sampler: Sampler) -> ScanCost:
    # Not `least_seconds`: here the first run is a result of its own, as it includes the sampler's
    # conditional normals, which later scans find ready.
    seconds, busy = [], []
    for _ in range(_SCANS_TIMED):
        begin, busy_before = time.perf_counter(), time.process_time()
        found = explain(model, scan, 1, sampler=sampler, window=_WINDOW)
        seconds.append(time.perf_counter() - begin)
        busy.append(time.process_time() - busy_before)
    memory = _peak_memory()  # before anything is drawn
    return ScanCost(
        name=name,
        windows=found.data.sizes["window"],
        first=seconds[0],
        again=min(seconds[1:]),
        busy=min(busy[1:]),
        drawn=_drawing_seconds(model, scan, sampler),
        memory=memory,
    )


def _drawing_seconds(model: Linear, scan: Pixels, sampler: Sampler) -> float:
    """Seconds per window by draws, which the closed form is compared with."""
    every = Windows.over(scan.shape[1:], _WINDOW)
    some = every.subset(every.interlaced[:_WINDOWS_DRAWN])
    engine = Dense(model, scan, [1])

    def evaluate() -> None:
        engine.evaluate(some.starts, sampler.draw(scan, some, _SAMPLES, 0, None))

    (seconds,) = least_seconds(evaluate)
    return seconds / _WINDOWS_DRAWN


def _random_normal(random: np.random.Generator) -> ConditionalGaussian:
    """A normal with a random covariance: which one it is does not change any time."""
    size = _PATCH**3
    root = random.standard_normal((size, size))
    return ConditionalGaussian(np.zeros(size), root @ root.T / size, (1, *(_PATCH,) * 3))


def _cohort(random: np.random.Generator) -> Cohort:
    """A normal over all voxels with random loadings, on voxels of 2 mm with a usual guard zone."""
    voxels = math.prod(_SHAPE)
    loadings = 0.3 * random.standard_normal((_FACTORS, voxels))
    factors = Factors(np.zeros(voxels), loadings, np.ones(voxels))
    mask, spacing = np.ones(_SHAPE[1:], dtype=bool), (2.0, 2.0, 2.0)
    return Cohort(BrainNormal(mask, factors, Noise(0.8, (1.5, 1.5, 1.5)), spacing, GUARD))


def _located(normal: ConditionalGaussian) -> Located:
    """A located sampler with a normal for every cell.

    All cells have the same one here, but nothing makes use of that; fitting 8,000 would take long.
    """
    grid, size = CellGrid.over(_SHAPE[1:], _PATCH, _CELLS), len(normal.mean)
    cells = math.prod(grid.cells)
    identity = np.eye(size, dtype=np.float32)[np.tri(size, dtype=bool)]
    return Located(
        grid, normal.shape, normal.mean, normal.covariance, np.arange(cells),
        np.zeros((cells, size), dtype=np.float32), np.tile(identity, (cells, 1)),
    )  # fmt: skip


def _peak_memory() -> float:
    """Largest resident memory of this process so far, in bytes; NaN where it is not known."""
    try:
        import resource
    except ImportError:
        return math.nan
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
