"""The memory of this machine."""

import os

_UNKNOWN = 4 << 30  # bytes: a guess that every machine of today has


def machine_memory() -> int:
    """Return the bytes of memory that the machine has; 4 GiB where the system does not say.

    Not what is free of it, which is another number at every moment: batches would follow, and with
    them the last bits of a result.
    """
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN
