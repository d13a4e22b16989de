"""Explain many inputs, one after the other: another front door."""

import inspect
import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, cast, overload

from preddiff.errors import PreddiffError, SettingError, unknown_keyword
from preddiff.media.input import Source
from preddiff.media.listing import is_many, listed
from preddiff.models import load_model
from preddiff.pipeline.ahead import MOST_AT_ONCE, ahead
from preddiff.pipeline.analysis import Progress, reporting
from preddiff.pipeline.explain import explain
from preddiff.pipeline.settings import Settings
from preddiff.results.explanation import Explanation
from preddiff.samplers.load import KnownSamplers, loaded_once

_T = TypeVar("_T")

One = Source | Mapping[str, object]
"""An input, or settings of its own."""

Inputs = str | Path | Iterable[One]
"""A folder, or inputs of which each is what `explain` takes, or settings of its own."""

_NOT_OF_EACH = {"model", "progress", "callback", "budget", "client"}
_LEAST_BUDGET = 1e-3  # seconds: the first chunk is done whatever the time


@overload
def explain_many(
    model: object,
    inputs: Inputs,
    *,
    progress: bool | Progress = ...,
    budget: float | None = ...,
    client: object = ...,
    return_errors: Literal[False] = ...,
    **settings: object,
) -> Iterator[Explanation]:
    """Yield results; raise the first error."""


@overload
def explain_many(
    model: object,
    inputs: Inputs,
    *,
    progress: bool | Progress = ...,
    budget: float | None = ...,
    client: object = ...,
    return_errors: Literal[True],
    **settings: object,
) -> Iterator[Explanation | PreddiffError]:
    """Yield results and errors."""


def explain_many(
    model: object,
    inputs: Inputs,
    *,
    progress: bool | Progress = False,
    budget: float | None = None,
    client: object = None,
    return_errors: bool = False,
    **settings: object,
) -> Iterator[Explanation | PreddiffError]:
    """Explain inputs one after the other, and yield each result as soon as it is there, in order.

    Model and sampler are loaded once; memory holds one input and its result at a time, unless the
    caller keeps them; with a cluster two for each of its workers and one more, 16 at most.

    Parameters
    ----------
    model : as of `explain`.
    inputs : a folder, of which all pictures and scans are taken; or inputs, each as `picture` of
        `explain`, or a mapping of its arguments where some are its own, e.g.
        {"picture": "cat.jpg", "targets": 3, "checkpoint": "cat.npz"}. An iterator is read as it is
        needed.
    progress : True for one bar on the terminal, or a function of inputs done and of how many; needs
        inputs whose number is known.
    budget : seconds for all of them: the input at hand then ends with its map so far, which is
        marked as partial, and no other is begun.
    client : a `distributed.Client` (extra `cluster`), on whose cluster chunks of several inputs are
        evaluated at the same time.
    return_errors : yield the error of an input that cannot be explained in place of its result,
        and go on; else it is raised.
    settings : all others of `explain`.

    Raises
    ------
    PreddiffError
        At once for settings that are wrong whatever the input; while iterating, as `explain`.
    """
    known = set(inspect.signature(explain).parameters) - _NOT_OF_EACH
    for name in settings:
        if name not in known - {"picture"}:
            raise unknown_keyword("explain_many", name, known)
    preset = cast(Mapping[str, object] | None, settings.get("settings"))
    Settings.of(preset, **{n: v for n, v in settings.items() if n != "settings"}, budget=budget)
    if isinstance(inputs, str | Path):
        if not is_many(Path(inputs)):
            raise SettingError(f"inputs={str(inputs)!r}: expected a folder of inputs, or a list")
        inputs = [each.path for each in listed([Path(inputs)])]
    total = len(inputs) if isinstance(inputs, Sized) else None
    if progress and total is None:
        raise SettingError("progress: needs inputs whose number is known, such as a list")
    loaded = load_model(model)
    end = None if budget is None else time.monotonic() + budget
    one = _One(loaded, settings, KnownSamplers(), end, client, return_errors)
    found = map(one, one.in_time(inputs)) if client is None else one.at_once(inputs)
    return _reported(found, total or 0, progress)


@dataclass(frozen=True)
class _One:
    """What is done with one input of many.

    Attributes
    ----------
    end : when the time is up, of `time.monotonic`; None sets no limit.
    """

    model: object
    settings: Mapping[str, object]
    samplers: KnownSamplers
    end: float | None
    client: object
    return_errors: bool

    def in_time(self, inputs: Iterable[_T]) -> Iterator[_T]:
        """Yield inputs until the time is up."""
        for each in inputs:
            if self._left is not None and self._left <= 0:
                return
            yield each

    @property
    def _left(self) -> float | None:
        return None if self.end is None else self.end - time.monotonic()

    def at_once(self, inputs: Iterable[One]) -> Iterator[Explanation | PreddiffError]:
        """Yield what becomes of inputs, of which several are with workers at the same time."""
        from preddiff.pipeline.cluster.workers import workers_of

        with workers_of(self.client).sharing_out(MOST_AT_ONCE) as at_once:
            for result in ahead(self, self.in_time(inputs), at_once):
                yield result()

    def __call__(self, given: One) -> Explanation | PreddiffError:
        """Return what becomes of an input."""
        own = dict(given) if isinstance(given, Mapping) else {"picture": given}
        arguments = {**self.settings, **own, "client": self.client}
        left = None if self._left is None else max(_LEAST_BUDGET, self._left)
        try:
            with loaded_once(self.samplers):
                return explain(self.model, **arguments, budget=left)  # type: ignore[arg-type]
        except PreddiffError as error:
            if self.return_errors:
                return error
            raise


def _reported(
    found: Iterator[Explanation | PreddiffError], total: int, progress: bool | Progress
) -> Iterator[Explanation | PreddiffError]:
    with reporting(progress, "inputs") as report:
        report(0, total, None)
        for number, each in enumerate(found, start=1):
            yield each
            report(number, total, None)
