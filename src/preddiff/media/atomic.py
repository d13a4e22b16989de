"""Files and folders that appear complete or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from preddiff.errors import ResultError
from preddiff.media import staging
from preddiff.media.exchange import exchange

# What systems say that cannot sync a folder, or a file that was not opened for writing.
_CANNOT_SYNC = {errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EACCES, errno.EISDIR, errno.EPERM}
_ENDINGS_OF_RESULTS = {".zarr", ".zip", ".npz", ".html", ".png", ".nii", ".gz"}
_ATTEMPTS = 100  # at a name that other programs write to, too


@contextmanager
def atomic_write(path: str | Path, *, folder: bool = False) -> Iterator[Path]:
    """Yield a path to write to, which gets its real name when the block ends without an error.

    An earlier file of that name is replaced, and so is an earlier folder if a `folder` is written.
    Whatever interrupts this, Ctrl-C and loss of power included, leaves either the old or the new.
    What a killed program leaves beside them is removed when something is next written there.

    Raises
    ------
    ResultError
        If nothing can be written there, or the name is that of a folder, or of anything but one.
    """
    path = Path(path)
    _check_kind(path, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staging.clear_now_and_then(path.parent)
        staged = staging.claim(path.parent)
        try:
            written = staged.new / path.name
            yield written
            _sync_tree(written)
            if folder:
                _put_folder(written, path, staged.old)
            else:
                os.replace(written, path)  # noqa: PTH105 - says what it does
            _sync(path.parent)
        finally:
            staged.close()
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


def check_results_folder(path: str | Path) -> None:
    """Raise a ResultError if a result's files cannot be written in a folder of this name."""
    ending = Path(path).suffix
    if ending in _ENDINGS_OF_RESULTS:
        raise ResultError(
            f"{path}: expected a folder, in which all files of a result go under the input's name; "
            f"leave {ending} out"
        )
    check_folder(path)


def check_file(path: str | Path) -> None:
    """Raise a ResultError if no file can be written at a path; creates nothing."""
    _check_kind(Path(path), folder=False)
    check_folder(Path(path).parent)


def _check_kind(path: Path, folder: bool) -> None:
    """Raise a ResultError if `path` exists and is of a kind that is not replaced."""
    if folder and path.exists() and not path.is_dir():
        raise ResultError(f"{path}: is a file, expected the name of a folder; choose another name")
    if not folder and path.is_dir():
        raise ResultError(f"{path}: is a folder, expected the name of a file; choose another name")
    if not folder and path.exists() and not path.is_file():
        # Such as /dev/null, which would become a file, for every program.
        raise ResultError(f"{path}: is no plain file; choose another name")


def _put_folder(written: Path, path: Path, old: Path) -> None:
    """Give a folder its real name; what has that name goes where it will be removed.

    No system replaces a folder that is not empty in one step, but most exchange two in one. Where
    none of that is possible, there is a moment without either: an exception in it, or a kill, is
    made good when the staging folder is cleared, which puts back what lies in `old`.
    """
    for attempt in range(_ATTEMPTS):
        try:
            if not os.path.lexists(path):
                os.replace(written, path)  # noqa: PTH105 - says what it does
                return
            if exchange(written, path):
                return
            shutil.rmtree(old / path.name, ignore_errors=True)  # of an earlier attempt
            os.replace(path, old / path.name)  # noqa: PTH105 - says what it does
            os.replace(written, path)  # noqa: PTH105 - says what it does
        except OSError as error:
            # Another program put its own there, or took it away, after this one looked.
            came_or_went = error.errno in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST}
            if not came_or_went or attempt + 1 == _ATTEMPTS or not written.exists():
                raise
        else:
            return


def _sync_tree(path: Path) -> None:
    """Wait until a file, or a folder with everything in it, is on the disk.

    Else a loss of power soon after the rename could leave the new name without its content.
    """
    if path.is_dir():
        for each in path.rglob("*"):
            _sync(each)
    _sync(path)


def _sync(path: Path) -> None:
    try:
        opened = os.open(path, os.O_RDONLY)
    except OSError as error:
        if error.errno in _CANNOT_SYNC:
            return
        raise
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(opened)
