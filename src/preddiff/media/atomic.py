"""Files and folders that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from preddiff.errors import ResultError


@contextmanager
def atomic_write(path: str | Path, *, folder: bool = False) -> Iterator[Path]:
    """A path to write to, which takes its real name when the block ends well.

    A file that stood there before is replaced, and a folder if a `folder` is written. Whatever
    interrupts the block, Ctrl-C included, leaves nothing behind.

    Raises
    ------
    ResultError
        If nothing can be written there, or a folder stands where a file is to go.
    """
    path = Path(path)
    if path.is_dir() and not folder:
        raise ResultError(f"{path}: is a folder, expected the name of a file; choose another name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".preddiff.") as aside:
            written = Path(aside) / path.name
            yield written
            if path.is_dir():  # a file is replaced in one step, a folder has to make room
                path.rename(Path(aside) / "replaced")
            os.replace(written, path)  # noqa: PTH105 - says what it does
    except OSError as error:
        raise ResultError(
            f"{path}: cannot be written ({error.strerror or error}); choose another folder"
        ) from None


def check_folder(path: str | Path) -> None:
    """Raise a ResultError if a folder cannot be written or made; makes nothing."""
    place = Path(path).resolve()
    while not os.path.lexists(place):
        place = place.parent
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        raise ResultError(f"{path}: not a folder that can be written; choose another --output")
