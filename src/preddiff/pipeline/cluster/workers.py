"""The side that collects: runs are sent to workers, and their chunks evaluated there."""

import itertools
import threading
import time
import uuid
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib import metadata
from typing import cast
from weakref import WeakKeyDictionary

import dask
from distributed import Client, Future
from distributed.scheduler import KilledWorker

from preddiff.errors import EngineWarning, ResultError, SettingError
from preddiff.method.chunks import Chunk
from preddiff.pipeline.cluster import worker
from preddiff.pipeline.cluster.sending import Sent, packed
from preddiff.pipeline.cluster.worker import Reply
from preddiff.pipeline.elsewhere import Facts, Sendable
from preddiff.types import Values

_AHEAD = 2  # chunks of each worker: it need not wait for the next one
_MOST_KNOWN = 8  # models and samplers that are not sent again
_SECONDS_BETWEEN_COUNTS = 5.0  # of workers


class DaskWorkers:
    """The workers of a Dask cluster.

    Workers that die are replaced by others, which Dask gives what was sent, and the chunk anew.

    Parameters
    ----------
    client : connected to the cluster's scheduler.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._inputs = 1  # at the same time
        self._lock = threading.Lock()
        self._known: OrderedDict[int, tuple[object, Sent, Future]] = OrderedDict()
        self._turn = itertools.count()
        self._addresses: tuple[float, list[str]] = (-_SECONDS_BETWEEN_COUNTS, [])

    @contextmanager
    def sharing_out(self, most: int) -> Iterator[int]:
        """Within, let several inputs be explained at the same time; yield how many.

        Two for each worker and one more: while results are finished here, in order, all have
        something to do.

        Parameters
        ----------
        most : inputs at the same time, however many workers there are.
        """
        before = self._inputs
        self._inputs = min(most, 2 * len(self.addresses) + 1)
        try:
            yield self._inputs
        finally:
            self._inputs = before

    def chunks_at_once(self) -> int:
        """Return how many chunks of an input to begin: enough for its share of the workers."""
        return max(_AHEAD, _AHEAD * len(self.addresses) // self._inputs)

    @property
    def addresses(self) -> list[str]:
        """The workers by now; their number is that of at most some seconds ago."""
        counted, known = self._addresses
        if not known or time.monotonic() - counted > _SECONDS_BETWEEN_COUNTS:
            known = sorted(cast("dict[str, int]", self.client.nthreads()))
            self._addresses = time.monotonic(), known
        return known

    def share(self, thing: object) -> None:
        """Send an object that many runs refer to, unless it was sent."""
        with self._lock:
            found = self._known.pop(id(thing), None)
            if found is None:
                sent = packed(thing, [(each, its) for each, its, _ in self._known.values()])
                found = thing, sent, self._hold(sent)
            self._known[id(thing)] = found
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)

    def send(self, run: Sendable) -> "SentToWorkers":
        """Send a run, and what it shares with others."""
        for thing in run.shared:
            self.share(thing)
        with self._lock:
            known = list(self._known.values())
        sent = packed(run, [(thing, its) for thing, its, _ in known])
        futures = _needed(sent, {its.key: (its, future) for _, its, future in known})
        # Inputs at the same time keep to a worker each, which then knows its own; who has nothing
        # to do takes from others.
        near = None
        if self._inputs > 1 and self.addresses:
            near = self.addresses[next(self._turn) % len(self.addresses)]
        return SentToWorkers(self, self._hold(sent), futures, near)

    def _hold(self, sent: Sent) -> Future:
        # A task, and not data that are scattered: of a worker that dies, Dask makes them again.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
            return self.client.submit(worker.hold, sent, key=f"{sent.key}-{uuid.uuid4().hex}")


class SentToWorkers:
    """A run that workers have, or get with its first chunk there.

    Parameters
    ----------
    near : the worker that is to evaluate it if it has time; None is any.
    """

    def __init__(
        self, workers: DaskWorkers, run: Future, shared: list[Future], near: str | None
    ) -> None:
        self._workers = workers
        self._given = metadata.version("preddiff"), run, shared
        self._near = near

    def facts(self) -> Facts:
        """Return the engine that a worker chose."""
        return cast(Facts, self.begin(worker.facts)())

    def seconds(self, facts: Facts) -> float | None:
        """Return the seconds that all workers together take for it, by an engine, if known."""
        of_one = cast("float | None", self.begin(worker.seconds, dict(facts))())
        return None if of_one is None else of_one / max(1, len(self._workers.addresses))

    def evaluation(self, facts: Facts) -> "OnWorkers":
        """Return what evaluates its chunks, by an engine."""
        return OnWorkers(self, dict(facts), self._workers)

    def begin(
        self, task: Callable[..., Reply], *more: object
    ) -> Callable[[], Values | Facts | float | None]:
        """Begin with a task on the run; return a function that waits for what it finds."""
        future = self._workers.client.submit(
            task,
            *self._given,
            *more,
            key=f"preddiff-{task.__name__}-{uuid.uuid4().hex}",
            workers=self._near,
            allow_other_workers=self._near is not None,
        )
        return lambda: _found(future)


class OnWorkers:
    """Chunks are evaluated by workers."""

    def __init__(self, sent: SentToWorkers, engine: Facts, workers: DaskWorkers) -> None:
        self._sent = sent
        self._engine = engine
        self._workers = workers

    @property
    def at_once(self) -> int:
        """Chunks in the hands of workers."""
        return self._workers.chunks_at_once()

    def begin(self, chunk: Chunk) -> Callable[[], Values]:
        """Begin with a chunk; return a function that waits for its values."""
        return cast(
            Callable[[], Values], self._sent.begin(worker.values, self._engine, tuple(chunk))
        )


def _needed(run: Sent, known: dict[str, tuple[Sent, Future]]) -> list[Future]:
    """Return what a run refers to, and what that refers to, before what refers to it."""
    found: dict[str, Future] = {}

    def add(keys: tuple[str, ...]) -> None:
        for key in keys:
            if key not in found:
                sent, future = known[key]
                add(sent.shared)
                found[key] = future

    add(run.shared)
    return list(found.values())


def _found(future: Future) -> Values | Facts | float | None:
    """Return what a worker found, and pass on what it says."""
    try:
        reply: Reply = future.result()
    except KilledWorker as error:
        raise SettingError(
            f"{error.allowed_failures + 1} workers died over one chunk of windows, the last at "
            f"{error.last_worker.address}: expected enough memory for the model and its input on "
            "each; start fewer on each machine, or give the input less with memory="
        ) from error
    except CancelledError as error:
        raise ResultError(
            "the scheduler is gone: expected one that lives as long as the run; start it again and "
            "go on with --resume"
        ) from error
    for text, why in reply.said:
        warnings.warn(EngineWarning(text, why), stacklevel=3)
    return reply.found


_known: WeakKeyDictionary[Client, DaskWorkers] = WeakKeyDictionary()


def workers_of(client: object) -> DaskWorkers:
    """Return the workers of a client, which remember what was sent to them.

    Raises
    ------
    SettingError
        If it is no client of Dask.
    """
    if not isinstance(client, Client) or client.asynchronous:
        raise SettingError(
            f"client={client!r}: expected a distributed.Client that is not asynchronous"
        )
    if client not in _known:
        _known[client] = DaskWorkers(client)
    return _known[client]
