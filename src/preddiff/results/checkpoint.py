"""Unfinished work in a file, from which an interrupted analysis continues."""

import hashlib
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from preddiff.errors import ResultError
from preddiff.media.atomic import atomic_write
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows
from preddiff.types import PerTarget, Pixels

# Writing takes milliseconds and holds up the analysis: at this interval it does not matter, and an
# interruption costs at most this much work.
_SECONDS_BETWEEN_WRITES = 20.0


class Checkpoint:
    """The running means of an unfinished analysis, in one .npz file.

    Parameters
    ----------
    path : the file, which need not exist; None keeps nothing.
    inputs, windows, targets, base, facts : everything that the running means depend on. `base`, the
        predictions on the unperturbed input, tells apart models whose facts are the same.
    """

    def __init__(
        self,
        path: str | Path | None,
        inputs: Pixels,
        windows: Windows,
        targets: Sequence[int],
        base: PerTarget,
        facts: Mapping[str, object],
    ) -> None:
        self.path = None if path is None else Path(path)
        self._inputs, self._windows, self._base = inputs, windows, base
        self._facts = [list(targets), dict(facts)]
        self._written = time.monotonic()

    @cached_property
    def key(self) -> str:
        """Fingerprint of all that the counts depend on; only made where a file is kept."""
        facts = json.dumps(self._facts, sort_keys=True).encode()
        arrays = (self._inputs, self._windows.starts, self._base)
        parts = (*(array.tobytes() for array in arrays), facts)
        return hashlib.sha256(b"".join(parts)).hexdigest()

    def restore(self) -> RunningMeans | None:
        """Return the running means from the file; None if there is no file.

        Raises
        ------
        ResultError
            If the file is no checkpoint, or that of another analysis.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            with self.path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                key = str(file["key"])
                counted = {name: file[name] for name in ("groups", "mean", "squares")}
                # An .npz file cannot hold None: 0 stands for a sampler that never runs out.
                numbers = (int(file["visits"]), int(file["size"]), int(file["population"]) or None)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as failure:
            raise ResultError(
                f"{self.path}: not a checkpoint ({type(failure).__name__}); remove it"
            ) from None
        # Means of other draws, averaged with these, would look right and be wrong.
        if key != self.key:
            raise ResultError(
                f"{self.path}: unfinished work of another input, model or setting; continue with "
                "those, or remove it"
            )
        return RunningMeans(**counted, visits=numbers[0], size=numbers[1], population=numbers[2])

    def keep(self, means: RunningMeans) -> None:
        """Write the running means, unless that was done a moment ago."""
        if self.path is None or time.monotonic() - self._written < _SECONDS_BETWEEN_WRITES:
            return
        with atomic_write(self.path) as written, written.open("wb") as file:
            np.savez(
                file,
                key=np.str_(self.key),
                groups=means.groups,
                mean=means.mean,
                squares=means.squares,
                visits=means.visits,
                size=means.size,
                population=means.population or 0,
            )
        self._written = time.monotonic()

    def discard(self) -> None:
        """Remove the file, when the work is finished."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
