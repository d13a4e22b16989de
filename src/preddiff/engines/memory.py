"""The memory that is free on this machine."""

import os

_UNKNOWN = 4 << 30  # bytes: a guess that every machine of today has


def free_memory() -> int:
    """Return the bytes of free memory; 4 GiB where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN
