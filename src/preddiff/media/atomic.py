"""Files and folders that appear complete or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from preddiff.errors import ResultError


@contextmanager
def atomic_write(path: str | Path, *, folder: bool = False) -> Iterator[Path]:
    """Yield a path to write to, which gets its real name when the block ends without an error.

    An earlier file of that name is replaced, and so is an earlier folder if a `folder` is written.
    Whatever interrupts the block, Ctrl-C included, leaves nothing behind.

    Raises
    ------
    ResultError
        If nothing can be written there, or a folder has the name of the file.
    """
    path = Path(path)
    if path.is_dir() and not folder:
        raise ResultError(f"{path}: is a folder, expected the name of a file; choose another name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The staging folder lies beside the destination and not in the system's folder for
        # temporary files: a rename is atomic only within one file system.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".preddiff.") as staging:
            written = Path(staging) / path.name
            yield written
            # os.replace swaps a file in one step, but refuses to replace a folder that is not
            # empty. The old folder moves into the staging folder and is deleted with it; for the
            # moment between the two renames there is neither.
            if path.is_dir():
                path.rename(Path(staging) / "replaced")
            os.replace(written, path)  # noqa: PTH105 - says what it does
    except OSError as error:
        raise ResultError(
            f"{path}: cannot be written ({error.strerror or error}); choose another folder"
        ) from None


def check_folder(path: str | Path) -> None:
    """Raise a ResultError if a folder cannot be written or created; creates nothing."""
    # The nearest ancestor that exists decides. lexists also finds a link that leads nowhere, in
    # which no folder can be made.
    existing = Path(path).resolve()
    while not os.path.lexists(existing):
        existing = existing.parent
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise ResultError(f"{path}: not a folder that can be written; choose another --output")
