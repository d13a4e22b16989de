"""The side of the workers: runs that they hold, and chunks that they evaluate."""

import threading
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from importlib import metadata
from typing import NamedTuple, TypeVar, cast

from preddiff.errors import EngineWarning, SettingError
from preddiff.method.chunks import Chunk
from preddiff.pipeline.cluster.sending import Sent, unpacked
from preddiff.pipeline.elsewhere import Facts, Sendable
from preddiff.types import Values

_K = TypeVar("_K")
_V = TypeVar("_V")

_MOST_RUNS = 2  # that are held: each has the activations of an input
_MOST_SHARED = 6  # models and samplers, which may be large

# A worker's threads wait for each other: a chunk may use all processors, and neither torch's number
# of threads nor Python's warnings are a thread's own.
_one_at_a_time = threading.Lock()
_shared: OrderedDict[str, object] = OrderedDict()
_runs: OrderedDict[tuple[str, str], Sendable] = OrderedDict()


class Reply(NamedTuple):
    """A reply of a worker, and what it has to say.

    Attributes
    ----------
    found : values of a chunk, the engine that was chosen, or the seconds that a run takes.
    said : warnings, each with its reason.
    """

    found: Values | Facts | float | None
    said: list[tuple[str, str]]


def hold(sent: Sent) -> Sent:
    """Return what was sent: a task whose result other workers can ask for."""
    return sent


def facts(version: str, run: Sent, shared: Sequence[Sent]) -> Reply:
    """Return the engine that a run chooses, for other workers to take the same."""
    with _one_at_a_time, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _check(version)
        chosen = _loaded(run, shared)
        found = dict(chosen.facts)
        _keep(_runs, (run.key, _name(found)), chosen, _MOST_RUNS)
        return Reply(found, _ours(caught))


def values(version: str, run: Sent, shared: Sequence[Sent], engine: Facts, chunk: Chunk) -> Reply:
    """Return the values of a chunk of a run, by an engine that was chosen."""
    with _one_at_a_time, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _check(version)
        return Reply(_held(run, shared, engine).values(Chunk(*chunk)), _ours(caught))


def seconds(version: str, run: Sent, shared: Sequence[Sent], engine: Facts) -> Reply:
    """Return the seconds that all of a run takes one worker."""
    with _one_at_a_time, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _check(version)
        return Reply(_held(run, shared, engine).seconds(), _ours(caught))


def _held(run: Sent, shared: Sequence[Sent], engine: Facts) -> Sendable:
    """Return a run by an engine that was chosen; the last ones are at hand."""
    key = run.key, _name(engine)
    chosen = _runs.get(key) or _loaded(run, shared).by(engine)
    _keep(_runs, key, chosen, _MOST_RUNS)
    return chosen


def _loaded(run: Sent, shared: Sequence[Sent]) -> Sendable:
    for sent in shared:
        known = _shared.get(sent.key)
        _keep(_shared, sent.key, unpacked(sent, _shared) if known is None else known, _MOST_SHARED)
    return cast(Sendable, unpacked(run, _shared))


def _keep(held: OrderedDict[_K, _V], key: _K, value: _V, most: int) -> None:
    """Keep a value as the one that was used last."""
    held[key] = value
    held.move_to_end(key)
    while len(held) > most:
        held.popitem(last=False)


def _check(version: str) -> None:
    here = metadata.version("preddiff")
    if here != version:
        raise SettingError(
            f"a worker has preddiff {here}, this is preddiff {version}: expected the same, as "
            "numbers may differ; install one of them on both sides"
        )


def _name(engine: Facts) -> str:
    return repr(sorted(engine.items()))


def _ours(caught: Sequence[warnings.WarningMessage]) -> list[tuple[str, str]]:
    return [
        (str(each.message), each.message.why)
        for each in caught
        if isinstance(each.message, EngineWarning)
    ]
