"""Explain many inputs, one after the other: another front door."""

import inspect
import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import Literal, cast, overload

from preddiff.errors import PreddiffError, SettingError
from preddiff.media.input import Source
from preddiff.media.listing import is_many, listed
from preddiff.models import load_model
from preddiff.pipeline.analysis import Progress, reporting
from preddiff.pipeline.explain import explain
from preddiff.pipeline.settings import Settings
from preddiff.results.explanation import Explanation
from preddiff.samplers.load import KnownSamplers, loaded_once

Inputs = str | Path | Iterable[Source | Mapping[str, object]]
"""A folder, or inputs of which each is what `explain` takes, or settings of its own."""

_NOT_OF_EACH = {"model", "progress", "callback", "budget"}


@overload
def explain_many(
    model: object,
    inputs: Inputs,
    *,
    progress: bool | Progress = ...,
    budget: float | None = ...,
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
    return_errors: bool = False,
    **settings: object,
) -> Iterator[Explanation | PreddiffError]:
    """Explain inputs one after the other, and yield each result as soon as it is there, in order.

    Model and sampler are loaded once; memory holds one input and its result at a time, unless the
    caller keeps them.

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
            raise TypeError(f"explain_many() has no setting {name!r}")
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
    return _explained(loaded, inputs, total or 0, progress, budget, return_errors, settings)


def _explained(
    model: object,
    inputs: Iterable[Source | Mapping[str, object]],
    total: int,
    progress: bool | Progress,
    budget: float | None,
    return_errors: bool,
    settings: Mapping[str, object],
) -> Iterator[Explanation | PreddiffError]:
    end = None if budget is None else time.monotonic() + budget
    samplers = KnownSamplers()
    with reporting(progress, "inputs") as report:
        for number, each in enumerate(inputs):
            report(number, total, None)
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return
            own = dict(each) if isinstance(each, Mapping) else {"picture": each}
            try:
                with loaded_once(samplers):
                    result = explain(model, **{**settings, **own}, budget=left)  # type: ignore[arg-type]
            except PreddiffError as error:
                if not return_errors:
                    raise
                yield error
            else:
                yield result
        report(total, total, None)
