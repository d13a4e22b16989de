"""Unfinished work, kept so that an interrupted analysis can go on."""

import hashlib
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import ResultError
from preddiff.media.atomic import atomic_write
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows

_SECONDS = 20.0  # between two writings, so that they cost nothing worth speaking of

Floats = NDArray[np.float64]


class Checkpoint:
    """What was counted of the windows that were visited, in one .npz file.

    Parameters
    ----------
    path : of the file, which need not exist; None keeps nothing.
    inputs, windows, targets, base, facts : all that the counts depend on.
    """

    def __init__(
        self,
        path: str | Path | None,
        inputs: NDArray[np.float32],
        windows: Windows,
        targets: Sequence[int],
        base: Floats,
        facts: Mapping[str, Any],
    ) -> None:
        self.path = None if path is None else Path(path)
        said = json.dumps([list(targets), dict(facts)], sort_keys=True).encode()
        parts = (inputs.tobytes(), windows.starts.tobytes(), base.tobytes(), said)
        self.key = hashlib.sha256(b"".join(parts)).hexdigest()
        self._written = time.monotonic()

    def restore(self) -> RunningMeans | None:
        """What was counted; None if there is no file.

        Raises
        ------
        ResultError
            If the file is of another analysis, or no checkpoint.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            with self.path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                key = str(file["key"])
                counted = {name: file[name] for name in ("groups", "mean", "squares")}
                numbers = (int(file["visits"]), int(file["size"]), int(file["population"]) or None)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as failure:
            raise ResultError(
                f"{self.path}: not a checkpoint ({type(failure).__name__}); remove it"
            ) from None
        if key != self.key:
            raise ResultError(
                f"{self.path}: unfinished work of another input, model or setting; go on with "
                "those, or remove it"
            )
        return RunningMeans(**counted, visits=numbers[0], size=numbers[1], population=numbers[2])

    def keep(self, tally: RunningMeans) -> None:
        """Write what was counted, unless that was done a moment ago."""
        if self.path is None or time.monotonic() - self._written < _SECONDS:
            return
        with atomic_write(self.path) as written, written.open("wb") as file:
            np.savez(
                file,
                key=np.str_(self.key),
                groups=tally.groups,
                mean=tally.mean,
                squares=tally.squares,
                visits=tally.visits,
                size=tally.size,
                population=tally.population or 0,
            )
        self._written = time.monotonic()

    def discard(self) -> None:
        """Remove the file: the work is finished."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
