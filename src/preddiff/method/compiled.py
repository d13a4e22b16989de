"""Compile a loop, and keep it for the next process where there is a place for that."""

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return a loop that numba compiles when it is first called.

    What is compiled is kept beside this package or in the user's cache, if either can be written;
    else every process compiles anew, which takes seconds. `nogil` lets processors work side by
    side.
    """
    try:
        loop = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no place to keep it: a read-only installation, and no home
        return njit(nogil=True)(function)
    loop._cache = _Forgiving(loop._cache)  # type: ignore[attr-defined]
    return loop


_Cache = TypeVar("_Cache")


class _Forgiving(Generic[_Cache]):
    """A cache of numba's that keeps nothing where that fails, instead of ending the work.

    The disk may be full, the place taken away, or a file in it damaged.
    """

    def __init__(self, cache: _Cache) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> object:
        return getattr(self._cache, name)

    def load_overload(self, *arguments: object) -> object:
        """Return what was kept; None, as for what was not, if it cannot be read."""
        try:
            return self._cache.load_overload(*arguments)  # type: ignore[attr-defined]
        except Exception:  # whatever a damaged file raises
            return None

    def save_overload(self, *arguments: object) -> None:
        """Keep what was compiled, if that can be."""
        try:
            self._cache.save_overload(*arguments)  # type: ignore[attr-defined]
        except OSError:
            return
