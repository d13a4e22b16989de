"""The choice of engine, precision and batch: by checking and timing what could be taken.

Every candidate gives the same numbers but for rounding, so only time is at stake, and the choice
may depend on the machine. What is *not* left to timing is whether a candidate is right: boxes are
held against whole forward passes (`incremental/check.py`), and a shorter precision against float32.
"""

import gc
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from preddiff.engines.base import Engine
from preddiff.engines.cost import seconds_per_draw
from preddiff.engines.dense import Dense
from preddiff.engines.memory import free_memory
from preddiff.errors import EngineWarning, SettingError, first_line
from preddiff.models import Model
from preddiff.types import Corners, Draws, Evidence, Pixels, Values

if TYPE_CHECKING:
    from preddiff.engines.incremental import Incremental

MakeEvidence = Callable[[Values], Evidence]
"""Values (window, draw, target) → evidence (target, window)."""

Facts = Mapping[str, str | float]
"""Entries of a result's provenance: the engine, its precision, and the precision's error."""

_DEFAULT_BATCH = 20  # draws at once, for runs too short to time
# Of the two batches that are timed, the smaller keeps a layer's boxes in a processor's cache and
# the larger makes fewer calls. Which one wins depends on the network and on the cache.
_TIMED_BATCHES = (20, 40)
_MAX_BATCH_BYTES = 512 << 20  # larger batches gain little
# Below this many draws, trying costs more than the better choice gains: each candidate is given two
# batches twice, some hundred draws in all, and the gain is a share of what the run itself takes.
_DRAWS_WORTH_TIMING = 5000
# Multiply-adds of whole passes over those of boxes. Below the first, boxes save no arithmetic and
# still cost their cutting and pasting: a network that sees everything at once, such as ViT-B/16.
# Above the second (VGG-16: 13, a network of volumes: 106) they are faster by so much that timing
# tells nothing new, and whole passes of a large network take seconds, and memory for activations.
# In between lie most networks (1.1 for MobileNet-V3, 5 for GoogLeNet): timing decides.
_LEAST_SAVED = 1.02
_SURELY_SAVED = 8.0
_CHECKED_WINDOWS = 4  # that are held against whole forward passes
_CHECKED_DRAWS = 2  # of each of them


@dataclass(frozen=True, eq=False)
class Task:
    """The work that an engine is chosen for.

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
    inputs: Pixels
    targets: list[int]
    node: str | None
    size: tuple[int, ...]
    starts: Corners
    draws: Draws
    evidence: MakeEvidence
    total: int
    memory: int | None = None

    def seconds(self, engine: Engine) -> float:
        """Return the seconds of one draw by an engine."""
        return seconds_per_draw(engine, self.starts, self.draws)


@dataclass(frozen=True, eq=False)
class Choice:
    """The engine that was chosen, and what a result's provenance says of it."""

    engine: Engine
    facts: Facts


def choose(task: Task, engine: str = "auto", precision: str = "auto") -> Choice:
    """Return the engine that a task is run with.

    Parameters
    ----------
    engine : "auto" takes the faster one, "incremental" or "dense".
    precision : "auto" takes the fastest one whose error is small (`precision.LARGEST_ERROR`).

    Raises
    ------
    SettingError
        If the engine or the precision that is asked for cannot be used with the model.
    """
    memory = task.memory or min(free_memory() // 4, _MAX_BATCH_BYTES)
    dense = Dense(task.model, task.inputs, task.targets, task.node, memory=memory)
    whole_passes = Choice(dense, {"engine": dense.name, "precision": "float32"})
    boxed = None if engine == "dense" else _incremental(task, memory, engine)
    if boxed is None:
        if precision not in {"auto", "float32"}:
            raise SettingError(
                f"precision={precision!r}: only the incremental engine has it, which cannot be "
                "used here; choose precision='float32'"
            )
        return whole_passes
    saved = boxed.saved(task.starts)
    if engine == precision == "auto" and saved < _LEAST_SAVED:
        return whole_passes
    boxed, facts = _in_precision(task, boxed, precision)
    if task.total >= _DRAWS_WORTH_TIMING:
        gc.collect()  # the rejected one's graph refers to itself, and holds copies of the weights
        _set_batch(task, boxed, memory)
    in_doubt = engine == precision == "auto" and saved < _SURELY_SAVED
    if in_doubt and task.seconds(boxed) > task.seconds(dense):
        return whole_passes
    return Choice(boxed, {"engine": boxed.name, **facts})


def _incremental(task: Task, memory: int, requested: str) -> "Incremental | None":
    """Return the incremental engine; None, after a warning that says why, if it cannot be used."""
    from preddiff.engines.incremental import Incremental
    from preddiff.engines.incremental.check import TOLERANCE, deviation, first_wrong_node
    from preddiff.models.networks.network import Network

    if not isinstance(task.model, Network):
        if requested == "incremental":
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
    engine.batch = _batch_within(memory, engine, _DEFAULT_BATCH)
    few = task.starts[:_CHECKED_WINDOWS], task.draws[:_CHECKED_WINDOWS, :_CHECKED_DRAWS]
    off = deviation(engine, *few)
    if not off <= TOLERANCE:  # NaN, too, is a deviation
        where = first_wrong_node(engine, *few) or "the output"
        _warn(f"whole forward passes, as recomputing boxes went wrong at {where} ({off:.1e})")
        return None
    return engine


def _in_precision(task: Task, boxed: "Incremental", requested: str) -> tuple["Incremental", Facts]:
    """Return the engine in the requested precision, and what its provenance says of that."""
    from preddiff.engines import precision as precisions

    names = [requested]
    if requested == "auto":  # a short run gains too little for its results to be rounded
        worth_it = task.total >= _DRAWS_WORTH_TIMING
        names = precisions.shorter(boxed.model.device) if worth_it else []
    best = boxed
    facts: Facts = {"precision": str(boxed.dtype).removeprefix("torch.")}
    for name in names:
        if precisions.DTYPES[name] == boxed.dtype:
            continue
        try:
            other = boxed.in_precision(precisions.DTYPES[name])
            error = _error(task, boxed, other)
        except NotImplementedError as problem:  # torch has no kernel for an operation
            if requested == "auto":
                continue
            raise SettingError(
                f"precision={name!r}: {first_line(problem)}; choose precision='float32'"
            ) from problem
        if requested != "auto" or (
            error <= precisions.LARGEST_ERROR and task.seconds(other) < task.seconds(best)
        ):
            best, facts = other, {"precision": name, "precision_error": error}
    return best, facts


def _error(task: Task, exact: Engine, other: Engine) -> float:
    """Return the root mean square of what another precision changes, relative to the evidence's.

    Infinite where the evidence of all windows tried is 0: there is nothing to compare with. Even a
    precision that changes nothing there has not been shown to be right elsewhere, where windows
    matter. So "auto" stays with float32, whatever the rounding happened to be; a precision that was
    asked for is used, and the provenance says that its error is not known (infinite).
    """
    right, found = (task.evidence(e.evaluate(task.starts, task.draws)) for e in (exact, other))
    scale = float(np.sqrt((right**2).mean()))
    return float(np.sqrt(((found - right) ** 2).mean())) / scale if scale > 0 else math.inf


def _set_batch(task: Task, engine: "Incremental", memory: int) -> None:
    """Set the batch that is fastest on this machine."""
    seconds = {}
    for wanted in _TIMED_BATCHES:
        batch = engine.batch = _batch_within(memory, engine, wanted)
        seconds[batch] = task.seconds(engine)
    engine.batch = min(seconds, key=lambda batch: seconds[batch])


def _batch_within(memory: int, engine: "Incremental", wanted: int) -> int:
    """Return how many draws at once the memory holds: at least one, and no more than wanted."""
    return int(min(wanted, max(1, memory // engine.bytes_per_draw)))


def _warn(text: str) -> None:
    warnings.warn(text, EngineWarning, stacklevel=2)
