"""Unfinished work in a file, from which an interrupted analysis continues."""

import hashlib
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from preddiff.errors import EngineWarning, ResultError
from preddiff.media.archives import read_arrays
from preddiff.media.atomic import atomic_write, check_folder
from preddiff.media.reading import failures_as
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows
from preddiff.types import PerTarget, Pixels

# Writing takes milliseconds and holds up the analysis: at this interval it does not matter, and an
# interruption costs at most this much work.
_SECONDS_BETWEEN_WRITES = 20.0
# Predictions on the unperturbed input differ in their last bits with the number of threads. Those
# of another model differ by more than these shares of themselves and of the largest.
_BASE_RTOL, _BASE_ATOL = 1e-4, 1e-5


@dataclass(frozen=True)
class UntilSaved:
    """The name of a checkpoint that stays until whoever asked for it has saved the result.

    Attributes
    ----------
    path : the file.
    goes_on : whether unfinished work is read, and kept on the way. Without, it is only kept when
        the analysis is stopped, or done with one of several sizes of windows.
    """

    path: Path
    goes_on: bool = True
    _parts: "list[UntilSaved]" = field(default_factory=list, repr=False, compare=False)

    def part(self, name: str) -> "UntilSaved":
        """Return the checkpoint of a part of the work, which is removed with this one."""
        own = UntilSaved(
            self.path.with_name(f"{self.path.stem}-{name}{self.path.suffix}"), self.goes_on
        )
        self._parts.append(own)
        return own

    def remove(self) -> None:
        """Remove the file, once the result is saved."""
        for each in (self, *self._parts):
            each.path.unlink(missing_ok=True)


@dataclass(frozen=True, eq=False)
class Unfinished:
    """The content of a checkpoint.

    Attributes
    ----------
    means : the running means.
    engine : name and precision of the engine that made them, and its batch.
    finished : whether the analysis came to its end, and only its result is not saved.
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
        self._stays = isinstance(path, UntilSaved)
        self._goes_on = path.goes_on if isinstance(path, UntilSaved) else True
        path = path.path if isinstance(path, UntilSaved) else path
        self.path = None if path is None else Path(path)
        if self.path is not None:
            check_folder(self.path.parent)
        self._picture, self._windows, self._base = picture, windows, base
        self._facts = [list(targets), dict(facts)]
        self._written = time.monotonic()
        self._failed = False

    @cached_property
    def key(self) -> str:
        """Fingerprint of all that the counts depend on but for the base; only made for a file."""
        facts = json.dumps(self._facts, sort_keys=True).encode()
        arrays = (self._picture, self._windows.starts)
        parts = (*(array.tobytes() for array in arrays), facts)
        return hashlib.sha256(b"".join(parts)).hexdigest()

    def restore(self, begun: RunningMeans) -> Unfinished | None:
        """Return what the file holds; None if there is no file.

        Parameters
        ----------
        begun : the running means of this analysis before its first draw; those of the file have to
            have the same shape, as there may be two rows for a target: p and 1 - p.

        Raises
        ------
        ResultError
            If the file is no checkpoint, or that of another analysis.
        """
        if self.path is None or not self._goes_on or not self.path.exists():
            return None
        hint = "remove it"
        arrays = read_arrays(self.path, ResultError, "a checkpoint", hint)
        with failures_as(lambda why: ResultError(f"{self.path}: not a checkpoint ({why}); {hint}")):
            key, base = str(arrays["key"]), np.asarray(arrays["base"], dtype=np.float64)
            groups = np.asarray(arrays["groups"], dtype=np.int64)
            mean, squares = (
                np.asarray(arrays[name], dtype=np.float64) for name in ("mean", "squares")
            )
            # An .npz file cannot hold None: 0 stands for a sampler that never runs out.
            visits, size, population = (
                int(arrays[name][()]) for name in ("visits", "size", "population")
            )
            engine = {name: str(arrays[name]) for name in ("engine", "precision")}
            batch, finished = int(arrays["batch"][()]), bool(arrays["finished"])
        # Means of other draws, averaged with these, would look right and be wrong.
        if key != self.key or not self._is_base(base):
            raise ResultError(
                f"{self.path}: unfinished work of another input, model or setting; continue with "
                "those, or remove it"
            )
        means = RunningMeans(groups, mean, squares, visits, size, population or None)
        self._check(means, begun)
        return Unfinished(means, {**engine, **({"batch": batch} if batch > 0 else {})}, finished)

    def _check(self, means: RunningMeans, begun: RunningMeans) -> None:
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
            raise ResultError(f"{self.path}: unfinished work that is damaged; remove it")

    def _is_base(self, base: PerTarget) -> bool:
        """Return whether values are those on the unperturbed input, within rounding."""
        if base.shape != self._base.shape:
            return False
        atol = _BASE_ATOL * float(np.abs(self._base).max())
        return np.allclose(base, self._base, rtol=_BASE_RTOL, atol=atol)

    def keep(self, means: RunningMeans, engine: Mapping[str, str | float]) -> None:
        """Write the running means, unless that was done a moment ago.

        A disk that is full does not end the analysis, whose result may find its place elsewhere.
        """
        soon = time.monotonic() - self._written < _SECONDS_BETWEEN_WRITES
        if self.path is None or not self._goes_on or soon:
            return
        self._write(means, engine, finished=False)

    def _write(
        self, means: RunningMeans, engine: Mapping[str, str | float], *, finished: bool
    ) -> None:
        try:
            with atomic_write(str(self.path)) as written, written.open("wb") as file:
                np.savez(
                    file,
                    key=np.str_(self.key),
                    base=self._base,
                    groups=means.groups,
                    mean=means.mean,
                    squares=means.squares,
                    visits=means.visits,
                    size=means.size,
                    population=means.population or 0,
                    engine=np.str_(engine["engine"]),
                    precision=np.str_(engine["precision"]),
                    batch=engine.get("batch", 0),
                    finished=finished,
                )
        except ResultError as error:
            if not self._failed:
                warnings.warn(f"unfinished work is not kept: {error}", EngineWarning, stacklevel=2)
            self._failed = True
        self._written = time.monotonic()

    def leave(self, means: RunningMeans, engine: Mapping[str, str | float]) -> None:
        """Write the running means of an analysis that was stopped, to go on from."""
        if self.path is not None:
            self._write(means, engine, finished=False)

    def finish(self, means: RunningMeans, engine: Mapping[str, str | float]) -> None:
        """Remove the file, as the work is finished; or write all of it, where the file stays."""
        if self.path is None:
            return
        if self._stays:
            self._write(means, engine, finished=True)
        else:
            self.path.unlink(missing_ok=True)
