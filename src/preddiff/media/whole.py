"""Files and folders that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from preddiff.errors import ResultError


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A path to write to, which takes its real name when the block ends well.

    What stood there before is replaced. Whatever interrupts the block, Ctrl-C included, leaves
    nothing behind.

    Raises
    ------
    ResultError
        If the folder cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            written = Path(folder) / path.name
            yield written
            if path.is_dir():  # a file is replaced in one step, a folder has to make room
                path.rename(Path(folder) / "replaced")
            os.replace(written, path)  # noqa: PTH105 - says what it does
    except OSError as error:
        raise ResultError(
            f"{path}: cannot be written ({error.strerror or error}); choose another folder"
        ) from None


def check_folder(path: str | Path) -> None:
    """Make a folder, or raise a ResultError if nothing can be written into it."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        raise ResultError(
            f"{path}: not a folder that can be written ({error.strerror}); choose another --output"
        ) from None
