"""The choice of engine, precision and batch: by checking what could be taken.

Every candidate gives the same numbers but for rounding. Still, the same command is to give the same
arrays on the same machine, whatever else runs there. So the rules are by what can be counted, where
that tells enough: arithmetic, bytes and errors. Where it does not, as another library makes whole
passes and boxes save little, the two are timed in turn, once, and what was found is kept
(`earlier.py`). What is *not* left to rules is whether a candidate is right: boxes are held against
whole forward passes (`incremental/check.py`), and a shorter precision against float32. What was
right in an earlier run is checked on fewer windows.
"""

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from preddiff.engines import earlier
from preddiff.engines.cost import least_seconds_per_draw
from preddiff.engines.dense import Dense
from preddiff.engines.earlier import Earlier
from preddiff.engines.memory import machine_memory
from preddiff.engines.task import Choice, Facts, Task
from preddiff.errors import EngineWarning, SettingError, first_line
from preddiff.models import Model
from preddiff.models.kind import is_network
from preddiff.types import Evidence

if TYPE_CHECKING:
    from preddiff.engines.incremental import Incremental

# Draws at once: their boxes stay in a processor's cache. 40 make fewer calls, and gain or lose some
# percent, which depends on the network.
_USUAL_BATCH = 20
_MAX_BATCH_BYTES = 512 << 20  # larger batches gain little
# Below this many draws, trying a precision costs more than it gains.
_DRAWS_WORTH_TRYING = 5000
# Below this many draws, tracing a network and checking its boxes costs more than they gain: the
# check alone makes some 24 whole passes.
_DRAWS_WORTH_CHECKING = 64
# Multiply-adds of whole passes over those of boxes. Below this, boxes save no arithmetic and still
# cost their cutting and pasting: a network that sees everything at once, such as ViT-B/16. The
# least of the others is MobileNet-V3's, 1.1, with which they are faster than torch's by half.
_LEAST_SAVED = 1.05
# Below this many whole passes, an export to a faster runtime costs more than it gains.
_PASSES_WORTH_EXPORTING = 1000
# Of a network whose boxes save more multiply-adds than that, no library makes whole passes as fast.
_SURELY_SAVED = 3.0
_DRAWS_WORTH_TIMING = 5000  # both, which takes an export and some ten whole passes
# Times by which whole passes have to be faster: what is no clear case is decided without the clock.
_CLEARLY = 1.2
_CHECKED_DRAWS = 2  # of each window that is held against whole forward passes
_RECHECKED_EVERY, _RECHECKED_DRAWS = 4, 1  # of these, where an earlier run found boxes right


def choose(
    task: Task,
    engine: str = "auto",
    precision: str = "auto",
    batch: int | None = None,
    runtime: str | None = None,
) -> Choice:
    """Return the engine that a task is run with.

    Parameters
    ----------
    engine : "auto" takes the one that does less arithmetic, "incremental" or "dense".
    precision : "auto" takes a shorter one where a device computes faster in it and its error is
        small (`precision.LARGEST_ERROR`).
    batch : draws at once; None follows from the memory.
    runtime : that makes whole passes, as a result's provenance has it, or "torch"; None takes the
        fastest at hand that agrees.

    Raises
    ------
    SettingError
        If the engine or the precision that is asked for cannot be used with the model.
    """
    memory = _memory(task)
    by_gain = engine == precision == "auto"
    if by_gain and is_small(task.total):
        return by_whole_passes(task, batch, runtime)
    boxed = None if engine == "dense" else _incremental(task, memory, engine, by_gain=by_gain)
    if boxed is None:
        if precision not in {"auto", "float32"}:
            raise SettingError(
                f"precision={precision!r}: only the incremental engine has it, which cannot be "
                "used here; choose precision='float32'"
            )
        return by_whole_passes(task, batch, runtime)
    facts = _take_precision(task, boxed, precision)
    boxed.batch = batch or _batch_within(memory, boxed, _USUAL_BATCH)
    if by_gain and boxed.saved(task.starts) < _SURELY_SAVED and _is_slower(task, boxed):
        return by_whole_passes(task, batch, runtime)
    return _choice(boxed, facts)


def _is_slower(task: Task, boxed: "Incremental") -> bool:
    """Return whether whole passes by another runtime are clearly faster than boxes.

    They are timed where a run is long enough, and no earlier one did.
    """
    if task.total < _DRAWS_WORTH_TIMING:
        return False
    key = earlier.about(boxed.model, task.inputs.shape, task.size, task.node)
    known = earlier.found(key)
    if known.slower is None:
        whole = by_whole_passes(task).engine
        slower = False
        if isinstance(whole, Dense) and whole.model.runtime is not None:
            by_whole, by_boxes = least_seconds_per_draw((whole, boxed), task.starts, task.draws)
            slower = _CLEARLY * by_whole < by_boxes
        known = replace(known, slower=slower)
        earlier.keep(key, known)
    return bool(known.slower)


def is_small(total: int) -> bool:
    """Return whether so few draws are made by whole passes, without looking for anything faster."""
    return total < _DRAWS_WORTH_CHECKING


def _choice(engine: "Dense | Incremental", facts: Facts) -> Choice:
    return Choice(engine, {"engine": engine.name, **facts, "batch": engine.batch})


def by_whole_passes(task: Task, batch: int | None = None, runtime: str | None = None) -> Choice:
    """Return the engine that makes whole forward passes, which every model can be run with.

    Many are made by the fastest runtime at hand that agrees with the model.

    Parameters
    ----------
    batch, runtime : as of `choose`.
    """
    model = task.model
    if task.total >= _PASSES_WORTH_EXPORTING:
        model = model.faster(task.inputs, task.node, runtime)
    dense = Dense(model, task.inputs, task.targets, task.node, batch, _memory(task))
    by = {} if model.runtime is None else {"runtime": model.runtime}
    return _choice(dense, {"precision": "float32", **by})


def _memory(task: Task) -> int:
    return task.memory or min(machine_memory() // 16, _MAX_BATCH_BYTES)


def _incremental(task: Task, memory: int, requested: str, *, by_gain: bool) -> "Incremental | None":
    """Return the incremental engine; None if it cannot be used, after a warning that says why.

    Parameters
    ----------
    by_gain : also None, without a word, where it saves no arithmetic.
    """
    if not is_network(task.model):
        if requested == "incremental":
            raise SettingError(
                f"engine='incremental': {task.model.spec} is no torch network, whose operations "
                "could be looked into; choose engine='dense'"
            )
        return None
    from preddiff.engines.incremental import Incremental

    key = earlier.about(task.model, task.inputs.shape, task.size, task.node)
    known = earlier.found(key)
    begin = time.perf_counter()
    if known.text and requested == "auto":
        _warn(known.text, known.why)
        return None
    if known.slower and by_gain and task.total >= _DRAWS_WORTH_TIMING:
        return None
    # Boxes are a matter of speed only: whatever goes wrong with them, a run goes on without.
    try:
        engine = Incremental(task.model, task.inputs, task.targets, task.size, task.node)
        engine.batch = _batch_within(memory, engine, _USUAL_BATCH)
        if engine.saved(task.starts) < _LEAST_SAVED and by_gain:
            return None
        wrong = _wrong(task, engine, before=known.right)
    except Exception as error:
        finding = Earlier(
            text="whole forward passes, as the network cannot be traced", why=first_line(error)
        )
        if "memory" not in finding.why.lower():  # which there may be next time
            earlier.keep(key, finding)
        _warn(finding.text, finding.why)
        return None
    seconds = time.perf_counter() - begin
    earlier.keep(key, replace(known, right=wrong is None, text="", why="", seconds=seconds))
    if wrong is not None:
        _warn(f"whole forward passes, as recomputing boxes went wrong at {wrong}")
        return None
    return engine


def usual_seconds(
    model: Model, shape: Sequence[int], size: Sequence[int], node: str | None
) -> float | None:
    """Return how long the check of boxes took in an earlier run; None where that is not known.

    Parameters
    ----------
    shape, size, node : of the input, its windows, and what is evaluated.
    """
    if not is_network(model):
        return None
    return earlier.found(earlier.about(model, shape, size, node)).seconds


def forget(task: Task) -> None:
    """Forget that boxes were right, which turned out to be wrong."""
    if is_network(task.model):
        key = earlier.about(task.model, task.inputs.shape, task.size, task.node)
        earlier.keep(key, Earlier())


def _wrong(task: Task, engine: "Incremental", *, before: bool) -> str | None:
    """Return where boxes part from whole forward passes, and by how much; None if nowhere.

    Parameters
    ----------
    before : whether they were checked, and right, in an earlier run.
    """
    from preddiff.engines.incremental.check import TOLERANCE, deviation, first_wrong_node

    starts, draws = task.checked or (task.starts, task.draws)
    few = starts, draws[:, :_CHECKED_DRAWS]
    if before:
        few = starts[::_RECHECKED_EVERY], draws[::_RECHECKED_EVERY, :_RECHECKED_DRAWS]
    off = deviation(engine, *few)
    if off <= TOLERANCE:  # NaN, too, is a deviation
        return None
    return f"{first_wrong_node(engine, *few) or 'the output'} ({off:.1e})"


def _take_precision(task: Task, boxed: "Incremental", requested: str) -> Facts:
    """Let the engine compute in the requested precision; return what provenance says of that."""
    from preddiff.engines import precision as precisions

    names = [requested]
    if requested == "auto":  # a short run gains too little for its results to be rounded
        worth_it = task.total >= _DRAWS_WORTH_TRYING
        names = precisions.shorter(boxed.model.device) if worth_it else []
    exact = boxed.dtype
    facts: Facts = {"precision": str(exact).removeprefix("torch.")}
    names = [name for name in names if precisions.DTYPES[name] != exact]
    if not names:
        return facts
    # First all that the exact one is asked for: an engine holds one precision's weights at a time.
    right = task.evidence(boxed.evaluate(task.starts, task.draws))
    for name in names:
        try:
            boxed.take_precision(precisions.DTYPES[name])
            error = _error(right, task.evidence(boxed.evaluate(task.starts, task.draws)))
        except NotImplementedError as problem:  # torch has no kernel for an operation
            if requested == "auto":
                continue
            raise SettingError(
                f"precision={name!r}: {first_line(problem)}; choose precision='float32'"
            ) from problem
        if requested != "auto" or error <= precisions.LARGEST_ERROR:
            return {"precision": name, "precision_error": error}
    boxed.take_precision(exact)
    return facts


def _error(right: Evidence, found: Evidence) -> float:
    """Return the root mean square of what another precision changes, relative to the evidence's.

    Infinite where the evidence of all windows tried is 0: there is nothing to compare with. Even a
    precision that changes nothing there has not been shown to be right elsewhere, where windows
    matter. So "auto" stays with float32, whatever the rounding happened to be; a precision that was
    asked for is used, and the provenance says that its error is not known (infinite).
    """
    scale = float(np.sqrt((right**2).mean()))
    return float(np.sqrt(((found - right) ** 2).mean())) / scale if scale > 0 else math.inf


def _batch_within(memory: int, engine: "Incremental", wanted: int) -> int:
    """Return how many draws at once the memory holds: at least one, and no more than wanted."""
    return int(min(wanted, max(1, memory // engine.bytes_per_draw)))


def _warn(text: str, why: str = "") -> None:
    warnings.warn(EngineWarning(text, why), stacklevel=2)
