"""Files from strangers: plain ones only, within a limit, and whatever goes wrong is one line."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from preddiff.errors import (
    EngineWarning,
    InputWarning,
    PreddiffError,
    SettingError,
    first_line,
    printable,
)

MEMORY_VARIABLE = "PREDDIFF_MAX_READ_GIB"
"""Environment variable with the most memory that reading one file may take, in GiB."""

_DEFAULT_GIB = 1.5  # with what Python and torch take, a process stays under 2 GB
_GIB = 1 << 30
_TEXT_BYTES = 1 << 26  # more than any table, list of labels or JSON file that people write
MAX_DEFLATE_RATIO = 1032
"""Bytes that one byte of .gz or .zip unpacks to at most (zlib's technical details)."""

Complaint = Callable[[str], PreddiffError]
"""From what went wrong, in a few words, to the error that says it."""


@contextmanager
def failures_as(complaint: Complaint) -> Iterator[None]:
    """Turn whatever a reader raises inside the block into one error; our own ones pass.

    Readers of damaged files raise anything: MemoryError of a length that is no length,
    RecursionError of brackets, NotImplementedError, struct.error, tokenize.TokenError. So there is
    no list of them.
    """
    try:
        yield
    except (PreddiffError, InputWarning, EngineWarning):  # warnings, where they are raised
        raise
    except Exception as error:
        # The first line may be as long as the file, and quote bytes of it.
        raise complaint(f"{type(error).__name__}: {first_line(error)[:200]}") from None


def memory_limit() -> int:
    """Return how many bytes of memory reading one file may take.

    Raises
    ------
    SettingError
        If the environment variable is no positive number.
    """
    text = os.environ.get(MEMORY_VARIABLE, "").strip() or str(_DEFAULT_GIB)
    try:
        limit = int(float(text) * _GIB)
    except (ValueError, OverflowError):
        limit = 0
    if limit < 1:
        raise SettingError(f"{MEMORY_VARIABLE}={text!r}: expected a number of GiB, e.g. 8")
    return limit


def check_memory(path: str | Path, claimed: int, error: type[PreddiffError]) -> None:
    """Raise unless what a file's header claims, in bytes of memory, may be read."""
    limit = memory_limit()
    if claimed > limit:
        raise error(
            f"{path}: reading it would take {claimed / _GIB:,.1f} GiB of memory, more than the "
            f"{limit / _GIB:g} that one file may; if you trust it, set {MEMORY_VARIABLE}"
        )


def check_file(
    path: str | Path, error: type[PreddiffError], expected: str, most: int | None = None
) -> int:
    """Return the size of a plain file; raise if it is none, empty, or larger than it may be.

    A pipe would be waited for without end, and a device read without end.

    Parameters
    ----------
    error : what is raised.
    expected : what the file should be, for messages, e.g. "a picture".
    most : bytes that it may have; None is the limit of memory.
    """
    try:
        found = Path(path).stat()
    except (OSError, ValueError):  # also a name that is too long, or has a 0 in it
        raise error(f"{path}: no such file; check the path") from None
    if stat.S_ISDIR(found.st_mode):
        raise error(f"{path}: a folder, expected {expected}; name a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise error(f"{path}: a pipe or a device, expected {expected}; write it to a file first")
    if not os.access(path, os.R_OK):
        raise error(f"{path}: may not be read by you; change its permissions")
    if found.st_size == 0:
        raise error(f"{path}: the file is empty (0 bytes); expected {expected}")
    if most is None:
        check_memory(path, found.st_size, error)
    elif found.st_size > most:
        raise error(f"{path}: has {found.st_size:,} bytes, expected {expected} of at most {most:,}")
    return found.st_size


def read_text(
    path: str | Path, error: type[PreddiffError], expected: str, most: int = _TEXT_BYTES
) -> str:
    """Return the text in a UTF-8 file, without a byte order mark, its line ends as they are.

    Parameters
    ----------
    error, expected, most : as of `check_file`.
    """
    check_file(path, error, expected, most)
    with failures_as(lambda why: error(f"{path}: not {expected} ({why}); expected UTF-8")):
        # Spreadsheet programs put a byte order mark first; utf-8-sig takes it or leaves it.
        return Path(path).read_bytes().decode("utf-8-sig")


def display_name(path: str | Path) -> str:
    """Return a file's name without its folders, as a text that every file and page can hold.

    Names are bytes. Python stands surrogates for those that are not UTF-8, and no encoder takes
    them; they are written as escapes here, e.g. caf\\xe9.jpg, and so are control characters.
    """
    return printable(Path(path).name)
