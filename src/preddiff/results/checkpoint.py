"""Unfinished work in a file, from which an interrupted analysis continues."""

import hashlib
import json
import os
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import EngineWarning, ResultError
from preddiff.media.archives import read_arrays
from preddiff.media.atomic import atomic_write, check_folder
from preddiff.media.reading import failures_as
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows
from preddiff.results.changes import changes, is_tightened
from preddiff.types import PerTarget, Pixels

# Work is written after every chunk; but where a chunk is done sooner than a disk takes it, no more
# than this share of the time goes into writing, and a kill costs as many chunks as that takes.
_SHARE_OF_TIME = 0.05
# Predictions on the unperturbed input differ in their last bits with the number of threads. Those
# of another model differ by more than these shares of themselves and of the largest.
_BASE_RTOL, _BASE_ATOL = 1e-4, 1e-5


@dataclass(frozen=True)
class UntilSaved:
    """The name of a checkpoint that stays until whoever asked for it has saved the result.

    Attributes
    ----------
    path : the file.
    goes_on : whether unfinished work is read; else it begins anew.
    draws : a file for the work of an analysis that a tolerance ended, once its result is saved: a
        smaller tolerance goes on from it. None keeps nothing of it.
    """

    path: Path
    goes_on: bool = True
    draws: Path | None = None
    _parts: "list[UntilSaved]" = field(default_factory=list, repr=False, compare=False)

    def part(self, name: str) -> "UntilSaved":
        """Return the checkpoint of a part of the work, which is removed with this one."""
        draws = None if self.draws is None else _named(self.draws, name)
        own = UntilSaved(_named(self.path, name), self.goes_on, draws)
        self._parts.append(own)
        return own

    @property
    def begun(self) -> Path | None:
        """The file of what there is to go on from; None where there is nothing."""
        known = filter(None, (self.path, self.draws))
        return next((path for path in known if self.goes_on and path.exists()), None)

    def remove(self) -> None:
        """Remove the file, once the result is saved; or keep what a tolerance may go on from."""
        for each in (self, *self._parts):
            if each.draws is not None and each.path.exists():
                os.replace(each.path, each.draws)  # noqa: PTH105 - says what it does
            each.path.unlink(missing_ok=True)


def _named(path: Path, part: str) -> Path:
    return path.with_name(f"{path.stem}-{part}{path.suffix}")


@dataclass(frozen=True, eq=False)
class Unfinished:
    """The content of a checkpoint.

    Attributes
    ----------
    means : the running means.
    engine : name and precision of the engine that made them, and its batch.
    finished : whether the analysis came to its end, and only its result is not saved; a smaller
        tolerance goes on from there.
    """

    means: RunningMeans
    engine: Mapping[str, str | float]
    finished: bool


class Checkpoint:
    """The running means of an unfinished analysis, in one .npz file.

    Parameters
    ----------
    path : the file, which need not exist; None keeps nothing. Of `UntilSaved`, the file stays when
        the work is finished.
    picture, windows, targets, base, facts : everything that the running means depend on. `base`,
        the predictions on the unperturbed input, tells apart models whose facts are the same; it is
        compared within rounding.

    Raises
    ------
    ResultError
        If the file could not be written.
    """

    def __init__(
        self,
        path: str | Path | UntilSaved | None,
        picture: Pixels,
        windows: Windows,
        targets: Sequence[int],
        base: PerTarget,
        facts: Mapping[str, object],
    ) -> None:
        kept = path if isinstance(path, UntilSaved | None) else UntilSaved(Path(path))
        self.path = None if kept is None else kept.path
        self._begun = None if kept is None else kept.begun
        self._stays = kept is path or facts.get("tolerance", "") != ""
        if self.path is not None:
            check_folder(self.path.parent)
        self._picture, self._windows, self._base = picture, windows, base
        self._targets, self._facts = list(targets), dict(facts)
        self._next_write = 0.0
        self._failed = False

    @cached_property
    def key(self) -> Mapping[str, object]:
        """All that the counts depend on but for the base; only made for a file."""
        return {
            **self._facts,
            "targets": self._targets,
            "input_sha256": _sha256(self._picture),
            "windows_sha256": _sha256(self._windows.starts),
        }

    def restore(self, begun: RunningMeans) -> Unfinished | None:
        """Return what the file holds; None if there is no file.

        Parameters
        ----------
        begun : the running means of this analysis before its first draw; those of the file have to
            have the same shape, as there may be two rows for a target: p and 1 - p.

        Raises
        ------
        ResultError
            If the file is no checkpoint, or that of another analysis; the message says what is
            another.
        """
        path = self._begun
        if path is None:
            return None
        hint = "remove it"
        arrays = read_arrays(path, ResultError, "a checkpoint", hint)
        with failures_as(lambda why: ResultError(f"{path}: not a checkpoint ({why}); {hint}")):
            key, engine = (dict(json.loads(str(arrays[name]))) for name in ("key", "engine"))
            engine = {**engine, **{name: str(engine[name]) for name in ("engine", "precision")}}
            base = np.asarray(arrays["base"], dtype=np.float64)
            groups = np.asarray(arrays["groups"], dtype=np.int64)
            mean, squares = (
                np.asarray(arrays[name], dtype=np.float64) for name in ("mean", "squares")
            )
            # An .npz file cannot hold None: 0 stands for a sampler that never runs out.
            visits, size, population = (
                int(arrays[name][()]) for name in ("visits", "size", "population")
            )
            finished = bool(arrays["finished"])
        # Means of other draws, averaged with these, would look right and be wrong.
        tightened = is_tightened(key.get("tolerance"), self.key.get("tolerance"))
        now = {n: v for n, v in self.key.items() if not (tightened and n == "tolerance")}
        found = changes(key, now)
        if not found and not self._is_base(base):
            found = ["the model gives another answer"]
        if found:
            raise ResultError(
                f"{path}: unfinished work, but not of what is asked for now ({'; '.join(found)}); "
                "continue with what it was begun with, or remove it"
            )
        means = RunningMeans(groups, mean, squares, visits, size, population or None)
        self._check(path, means, begun)
        return Unfinished(means, engine, finished and not tightened)

    def _check(self, path: Path, means: RunningMeans, begun: RunningMeans) -> None:
        """Raise unless the running means are such as this analysis makes."""
        fitting = (
            means.groups.shape == begun.groups.shape
            and (means.groups >= 0).all()
            and all(
                values.shape == begun.mean.shape and np.isfinite(values).all()
                for values in (means.mean, means.squares)
            )
            and means.visits >= 0
            and (means.size, means.population) == (begun.size, begun.population)
        )
        if not fitting:
            raise ResultError(f"{path}: unfinished work that is damaged; remove it")

    def _is_base(self, base: PerTarget) -> bool:
        """Return whether values are those on the unperturbed input, within rounding."""
        if base.shape != self._base.shape:
            return False
        atol = _BASE_ATOL * float(np.abs(self._base).max())
        return np.allclose(base, self._base, rtol=_BASE_RTOL, atol=atol)

    def keep(self, means: RunningMeans, engine: Mapping[str, str | float]) -> None:
        """Write the running means, unless that would take much of the time.

        A disk that is full does not end the analysis, whose result may find its place elsewhere.
        """
        if self.path is None or time.monotonic() < self._next_write:
            return
        self._write(means, engine, finished=False)

    def _write(
        self, means: RunningMeans, engine: Mapping[str, str | float], *, finished: bool
    ) -> None:
        started = time.monotonic()
        try:
            with atomic_write(str(self.path)) as written, written.open("wb") as file:
                np.savez(
                    file,
                    key=np.str_(json.dumps(self.key)),
                    base=self._base,
                    groups=means.groups,
                    mean=means.mean,
                    squares=means.squares,
                    visits=means.visits,
                    size=means.size,
                    population=means.population or 0,
                    engine=np.str_(json.dumps(dict(engine))),
                    finished=finished,
                )
        except ResultError as error:
            if not self._failed:
                warnings.warn(f"unfinished work is not kept: {error}", EngineWarning, stacklevel=2)
            self._failed = True
        now = time.monotonic()
        self._next_write = now + (now - started) * (1 / _SHARE_OF_TIME - 1)

    def leave(self, means: RunningMeans, engine: Mapping[str, str | float]) -> None:
        """Write the running means of an analysis that was stopped, to go on from."""
        if self.path is not None:
            self._write(means, engine, finished=False)

    def finish(self, means: RunningMeans, engine: Mapping[str, str | float]) -> None:
        """Remove the file, as the work is finished; or write all of it, where the file stays.

        That of an analysis with a tolerance stays: a smaller one goes on from it.
        """
        if self.path is None:
            return
        if self._stays:
            self._write(means, engine, finished=True)
        else:
            self.path.unlink(missing_ok=True)


def _sha256(values: NDArray[np.generic]) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()
