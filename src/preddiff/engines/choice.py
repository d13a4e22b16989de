"""Which engine, in which precision, with how many draws at once: chosen by checking and timing."""

import gc
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preddiff.engines import precision as precisions
from preddiff.engines.base import Engine
from preddiff.engines.cost import seconds_per_draw
from preddiff.engines.dense import Dense
from preddiff.errors import EngineWarning, SettingError, first_line
from preddiff.models import Model

Evidence = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Values (window, draw, target) → evidence (target, window)."""

_USUAL = 20  # draws at once
_BATCHES = (20, 40)  # fewer fit a processor's caches, more spare what each batch costs
_ENOUGH = 512 << 20  # bytes of a batch: larger ones gain little
_WORTH_TIMING = 5000  # draws from which on trying costs less than it gains
_LEAST_SAVED = 1.02  # multiply-adds of whole passes over those of boxes, for it to be worth a try,
_SURELY_SAVED = 8.0  # and to be faster without one, which takes time and, of large networks, memory
_CHECKED = 4  # windows that are held against whole forward passes


@dataclass(frozen=True, eq=False)
class Task:
    """What an engine is chosen for.

    Attributes
    ----------
    inputs : (channel, *spatial).
    targets, node : what is evaluated.
    size : of the windows.
    starts, draws : a few windows to try it on, (window, dimension), and draws of each,
        (window, draw, channel, *size).
    evidence : what is made of the values in the end.
    total : how many draws there are going to be, about.
    memory : bytes that a batch may take; None is a quarter of what is free, half a GiB at most.
    """

    model: Model
    inputs: NDArray[np.float32]
    targets: list[int]
    node: str | None
    size: tuple[int, ...]
    starts: NDArray[np.int64]
    draws: NDArray[np.float32]
    evidence: Evidence
    total: int
    memory: int | None = None

    def seconds(self, engine: Engine) -> float:
        """Of a draw by an engine."""
        return seconds_per_draw(engine, self.starts, self.draws)


def choose(
    task: Task, engine: str = "auto", precision: str = "auto"
) -> tuple[Engine, dict[str, Any]]:
    """The engine, and what a result's provenance says of it.

    Parameters
    ----------
    engine : "auto" takes the faster one, "incremental" or "dense".
    precision : "auto" takes the fastest one whose error is small (`precision.LARGEST_ERROR`).
    """
    memory = task.memory or min(free_memory() // 4, _ENOUGH)
    dense = Dense(task.model, task.inputs, task.targets, task.node, memory=memory)
    boxed = None if engine == "dense" else _incremental(task, memory, engine)
    if boxed is None:
        if precision not in {"auto", "float32"}:
            raise SettingError(
                f"precision={precision!r}: only the incremental engine has it, which cannot be "
                "used here; choose precision='float32'"
            )
        return dense, {"engine": dense.name, "precision": "float32"}
    saved = boxed.saved(task.starts)
    if engine == precision == "auto" and saved < _LEAST_SAVED:
        return dense, {"engine": dense.name, "precision": "float32"}
    boxed, facts = _in_precision(task, boxed, precision)
    if task.total >= _WORTH_TIMING:
        gc.collect()  # the other one's graph refers to itself, and holds copies of the weights
        _set_batch(task, boxed, memory)
    in_doubt = engine == precision == "auto" and saved < _SURELY_SAVED
    if in_doubt and task.seconds(boxed) > task.seconds(dense):
        return dense, {"engine": dense.name, "precision": "float32"}
    return boxed, {"engine": boxed.name, **facts}


def _incremental(task: Task, memory: int, wish: str) -> Any:
    """The incremental engine, if it can be used and is right; else None, and a line why not."""
    from preddiff.engines.incremental import Incremental
    from preddiff.engines.incremental.check import TOLERANCE, deviation, parting
    from preddiff.models.networks.network import Network

    if not isinstance(task.model, Network):
        if wish == "incremental":
            raise SettingError(
                f"engine='incremental': {task.model.spec} is no torch network, whose operations "
                "could be looked into; choose engine='dense'"
            )
        return None
    try:
        engine = Incremental(task.model, task.inputs, task.targets, task.size, task.node)
    except Exception as error:
        _warn(f"whole forward passes, as the network cannot be traced: {first_line(error)}")
        return None
    engine.batch = _within(memory, engine.bytes_per_draw, _USUAL)
    few = task.starts[:_CHECKED], task.draws[:_CHECKED, :2]
    off = deviation(engine, *few)
    if not off <= TOLERANCE:
        where = parting(engine, *few) or "the output"
        _warn(f"whole forward passes, as recomputing boxes went wrong at {where} ({off:.1e})")
        return None
    return engine


def _in_precision(task: Task, boxed: Any, wish: str) -> tuple[Any, dict[str, Any]]:
    """The engine in the wanted precision, and that one's error."""
    names = [wish]
    if wish == "auto":  # where there is little to gain, results are not worth any rounding
        names = precisions.shorter(boxed.model.device) if task.total >= _WORTH_TIMING else []
    best = boxed
    facts: dict[str, Any] = {"precision": str(boxed.dtype).removeprefix("torch.")}
    for name in names:
        if precisions.BY_NAME[name] == boxed.dtype:
            continue
        try:
            other = boxed.in_precision(precisions.BY_NAME[name])
            error = _error(task, boxed, other)
        except NotImplementedError as problem:
            if wish == "auto":
                continue
            raise SettingError(
                f"precision={name!r}: {first_line(problem)}; choose precision='float32'"
            ) from problem
        if wish != "auto" or (
            error <= precisions.LARGEST_ERROR and task.seconds(other) < task.seconds(best)
        ):
            best, facts = other, {"precision": name, "precision_error": error}
    return best, facts


def _error(task: Task, exact: Engine, other: Engine) -> float:
    """Root mean square of what another precision changes, relative to the evidence's."""
    right, found = (task.evidence(e.evaluate(task.starts, task.draws)) for e in (exact, other))
    scale = float(np.sqrt((right**2).mean()))
    return float(np.sqrt(((found - right) ** 2).mean())) / scale if scale > 0 else np.inf


def _set_batch(task: Task, engine: Any, memory: int) -> None:
    """The batch that is fastest on this machine."""
    seconds = {}
    for wish in _BATCHES:
        batch = engine.batch = _within(memory, engine.bytes_per_draw, wish)
        seconds[batch] = task.seconds(engine)
    engine.batch = min(seconds, key=lambda batch: seconds[batch])


def _within(memory: int, each: int, wish: int) -> int:
    return int(min(wish, max(1, memory // each)))


def free_memory() -> int:
    """Bytes; a guess of 4 GB where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def _warn(text: str) -> None:
    warnings.warn(text, EngineWarning, stacklevel=2)
