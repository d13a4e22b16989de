"""What other libraries say of damaged files by themselves: what decoders print, what they log."""

import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STANDARD_ERROR = 2  # its descriptor, which C prints to, whatever sys.stderr is
_MOST_BYTES = 4096
_lock = threading.Lock()  # two threads would put back each other's


@contextmanager
def caught() -> Iterator[list[str]]:
    """Yield a list that has the printed lines after the block, the first of them if many.

    What other threads print meanwhile is caught, too, so that blocks should be short.
    """
    lines: list[str] = []
    with _lock, tempfile.TemporaryFile() as file:
        try:
            kept = os.dup(_STANDARD_ERROR)
        except OSError:  # a program without a terminal may have closed it
            yield lines
            return
        try:
            os.dup2(file.fileno(), _STANDARD_ERROR)
            yield lines
        finally:
            os.dup2(kept, _STANDARD_ERROR)
            os.close(kept)
            file.seek(0)
            lines += file.read(_MOST_BYTES).decode(errors="replace").splitlines()


@contextmanager
def unlogged(name: str) -> Iterator[None]:
    """Drop what a library logs: Python prints it where nobody has asked for it."""
    logger = logging.getLogger(name)
    logger.addFilter(_nothing)
    try:
        yield
    finally:
        logger.removeFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False
