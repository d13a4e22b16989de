"""Folders in which something is being written, and what a killed program left of them.

Each lies beside its destination, as a rename is one step only within one file system::

    .preddiff.k3j2h1g0/
        lock         locked as long as the program that writes lives; also the sign that it is ours
        new/NAME     what is being written
        old/NAME     what it replaces, where the two cannot be exchanged in one step
"""

import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: without locks, nothing is known to be abandoned
    fcntl = None  # type: ignore[assignment]

_PREFIX = ".preddiff."
_NAME = re.compile(r"\.preddiff\.[a-z0-9_]{8}")  # as tempfile.mkdtemp makes them
_ATTEMPTS = 100
_TIMES_BETWEEN_LOOKS = 100  # that one takes
_next_look: dict[Path, float] = {}


@dataclass(frozen=True)
class Staging:
    """A folder to write in, claimed by this program for as long as `lock` is open."""

    folder: Path
    lock: int

    @property
    def new(self) -> Path:
        """The folder of what is being written."""
        return self.folder / "new"

    @property
    def old(self) -> Path:
        """The folder of what is being replaced."""
        return self.folder / "old"

    def close(self) -> None:
        """Put back what was being replaced, if its place is empty, and remove the folder."""
        if fcntl is None:  # Windows removes no file that is open
            os.close(self.lock)
            clear(self.folder)
            return
        try:
            clear(self.folder)
        finally:
            os.close(self.lock)


def claim(parent: Path) -> Staging:
    """Return a new staging folder in a folder."""
    for _ in range(_ATTEMPTS):
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=_PREFIX))
        # Until it is locked, another program that cleans up may take the folder for abandoned.
        with suppress(FileNotFoundError):
            lock = _open(folder / "lock", os.O_CREAT)
            try:
                if _lock(lock, folder / "lock", without_locks=True):
                    (folder / "new").mkdir()
                    (folder / "old").mkdir()
                    return Staging(folder, lock)
            except BaseException:
                os.close(lock)
                shutil.rmtree(folder, ignore_errors=True)
                raise
            os.close(lock)
    raise OSError("folders for unfinished files vanish as soon as they are made")


def clear_abandoned(parent: Path) -> None:
    """Clear what killed programs left in a folder; what cannot be cleared stays."""
    if fcntl is None:
        return
    with suppress(OSError):
        for folder in [Path(entry.path) for entry in os.scandir(parent) if _is_staging(entry)]:
            _clear_if_abandoned(folder)


def clear_now_and_then(parent: Path) -> None:
    """Clear what killed programs left in a folder, unless it was looked through a moment ago.

    To look through a folder of ten thousand results takes as long as to write one: no more than a
    hundredth of the time of a run goes into it.
    """
    begun = time.monotonic()
    if begun < _next_look.get(parent, 0.0):
        return
    clear_abandoned(parent)
    now = time.monotonic()
    _next_look[parent] = now + (now - begun) * _TIMES_BETWEEN_LOOKS


def clear(folder: Path) -> None:
    """Put back what was being replaced, if its place is empty, and remove a staging folder."""
    with suppress(FileNotFoundError):
        for replaced in list((folder / "old").iterdir()):
            if not os.path.lexists(folder.parent / replaced.name):
                replaced.rename(folder.parent / replaced.name)
    # The lock goes last: as long as it is there, the rest is known to be ours.
    for name in ("new", "old"):
        shutil.rmtree(folder / name, ignore_errors=True)
    if not any((folder / name).exists() for name in ("new", "old")):
        shutil.rmtree(folder, ignore_errors=True)


def _is_staging(entry: os.DirEntry[str]) -> bool:
    return bool(_NAME.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False)


def _clear_if_abandoned(folder: Path) -> None:
    with suppress(OSError):  # not empty
        folder.rmdir()  # killed before it could make the lock
    with suppress(OSError):  # no lock: not ours
        lock = _open(folder / "lock")
        try:
            if _lock(lock, folder / "lock", without_locks=False):
                clear(folder)
        finally:
            os.close(lock)


def _open(path: Path, flags: int = 0) -> int:
    return os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | flags, 0o600)


def _lock(opened: int, path: Path, *, without_locks: bool) -> bool:
    """Lock an open file, and return whether that was done and the file is still at its path.

    Parameters
    ----------
    without_locks : what to return where the system or the file system has no locks.
    """
    if fcntl is None:
        return without_locks
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # another program writes there
        return False
    except OSError:
        return without_locks
    try:
        return os.path.samestat(os.stat(path), os.fstat(opened))  # noqa: PTH116 - beside fstat
    except FileNotFoundError:
        return False
