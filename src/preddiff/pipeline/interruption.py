"""Interruptions: Ctrl-C and SIGTERM end an analysis with the map so far."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import NoReturn, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAID = b"\nStopping, with the map so far; once more leaves at once.\n"


class Interruption:
    """A signal that asks for the end of an analysis.

    The first one that comes while windows are visited is only noted: the analysis asks for it after
    each chunk of windows. Any other ends the program at once, as there is nothing to keep, or
    nobody wants to wait for it.

    Attributes
    ----------
    number : of the signal; None where none came.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._visiting = 0  # analyses at the same time, each in a thread
        self._counting = threading.Lock()

    @property
    def status(self) -> int:
        """Exit status of a program that a signal ended, as shells have it; 0 without one."""
        return 0 if self.number is None else 128 + self.number

    def came(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Take a signal: a handler of `signal.signal`."""
        first = self.number is None
        self.number = number
        if not (first and self._visiting):
            self.leave()
        # What is printed in the middle of another print raises; a plain write does not.
        os.write(2, _SAID)

    def leave(self) -> NoReturn:
        """Leave at once, as Python does after Ctrl-C; after SIGTERM with its status."""
        if self.number == signal.SIGTERM:
            raise SystemExit(self.status)
        raise KeyboardInterrupt

    @contextmanager
    def visiting(self) -> Iterator[None]:
        """While windows are visited, let the first signal wait for the end of a chunk."""
        with self._counting:
            self._visiting += 1
        try:
            yield
        finally:
            with self._counting:
                self._visiting -= 1


_NEVER = Interruption()
_current: ContextVar[Interruption] = ContextVar("interruption", default=_NEVER)


def current() -> Interruption:
    """Return the interruption of the analyses that run now; by default no signal is taken."""
    return _current.get()


def current_or_new() -> Interruption:
    """Return the interruption of the analyses that run now, or one that no signal reaches."""
    return Interruption() if current() is _NEVER else current()


def within(interruption: Interruption, work: Callable[[_T], _R], given: _T) -> _R:
    """Return what some work returns, which is interrupted with others."""
    token = _current.set(interruption)
    try:
        return work(given)
    finally:
        _current.reset(token)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Yield what Ctrl-C and SIGTERM do to the analyses within.

    Signals that the program was started to ignore stay ignored, and only the main thread gets any.
    """
    interruption = Interruption()
    token = _current.set(interruption)
    taken = _SIGNALS if threading.current_thread() is threading.main_thread() else ()
    before = {
        each: signal.signal(each, interruption.came)
        for each in taken
        if signal.getsignal(each) != signal.SIG_IGN
    }
    try:
        yield interruption
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        _current.reset(token)
