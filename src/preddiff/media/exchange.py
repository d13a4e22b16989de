"""Exchange two names of a file system in one step, where the system can."""

import ctypes
import errno
import os
import sys
from functools import cache
from pathlib import Path

# renameat2 of Linux, rename_np of macOS. Both take "relative to the working directory" as a number.
_LINUX_CWD, _LINUX_EXCHANGE = -100, 2
_DARWIN_SWAP = 2
# A file system, or a kernel, that cannot do it says one of these. NFS says EINVAL.
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}


def exchange(one: Path, other: Path) -> bool:
    """Exchange what two names mean, in one step; false where that is impossible here.

    Raises
    ------
    OSError
        If one of them does not exist, or the folder cannot be written.
    """
    library = _library()
    first, second = os.fsencode(one), os.fsencode(other)
    if library is None:
        return False
    if sys.platform == "darwin":
        status = library.renamex_np(first, second, _DARWIN_SWAP)
    else:
        status = library.renameat2(_LINUX_CWD, first, _LINUX_CWD, second, _LINUX_EXCHANGE)
    if status == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(other))


@cache
def _library() -> ctypes.CDLL | None:
    """Return the system's library, if it has such a function."""
    name = {"linux": "renameat2", "darwin": "renamex_np"}.get(sys.platform)
    if name is None:
        return None
    try:
        library = ctypes.CDLL(None, use_errno=True)
        getattr(library, name)
    except (OSError, AttributeError):
        return None
    return library
