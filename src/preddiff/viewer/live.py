"""An analysis that can be watched and stopped, in a page on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from preddiff.errors import SettingError
from preddiff.results.explanation import Explanation
from preddiff.viewer import picture, volume
from preddiff.viewer.server import Server

_PATIENCE = 5.0  # seconds that the last news may take to a page that was opened


class Live:
    """A callback for `explain` that shows the map while it sharpens.

    Use it as a context: its server ends with it. The analysis goes on without a reader; a reader
    can pause it and stop it.

    Parameters
    ----------
    announce : told the address of the page as soon as there is a map.
    """

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self._changed = threading.Condition()
        self._explanation: Explanation | None = None
        self._version = 0
        self._state = "running"  # running, paused, stopping or done
        self._told = ""
        self._started = time.monotonic()
        self._paused = 0.0  # seconds
        self._server = Server(self)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._state != "done":
            self.finish("The analysis was interrupted; nothing was saved.")
        self._server.stop(_PATIENCE)

    def __call__(self, explanation: Explanation) -> bool:
        """Show a map; true if a reader has stopped the analysis."""
        is_first = self._explanation is None
        if is_first:
            _check(explanation)
        self._show(explanation)
        if is_first and not _is_over(explanation):
            self._announce(self._server.address)
        begun = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._state != "paused")
        self._paused += time.monotonic() - begun
        return self._state == "stopping"

    def finish(self, told: str, explanation: Explanation | None = None) -> None:
        """Show the last map, and say what became of it."""
        self._told = told
        self._state = "done"
        self._show(explanation or self._explanation)

    def ask(self, wish: str) -> bool:
        """Do what a reader asks for: pause, go or stop; false if it is none of these."""
        states = {"pause": "paused", "go": "running", "stop": "stopping"}
        if wish not in states:
            return False
        with self._changed:
            if self._state in {"running", "paused"}:
                self._state = states[wish]
            self._version += 1
            self._changed.notify_all()
        return True

    def page(self) -> str | None:
        """The page with the map so far; None if there is none yet."""
        if self._explanation is None:
            return None
        return _viewer(self._explanation).render([self._explanation], live=True)

    def news(self, known: int, seconds: float) -> tuple[int, str | None, bool]:
        """What changed since a version: the new version, its news (None if there is nothing new
        after some seconds), and whether these are the last.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._version > known, seconds)
            version, explanation, state = self._version, self._explanation, self._state
        if version == known or explanation is None:
            return version, None, state == "done"
        return version, json.dumps(self._message(explanation, state)), state == "done"

    def _show(self, explanation: Explanation | None) -> None:
        with self._changed:
            self._explanation = explanation
            self._version += 1
            self._changed.notify_all()

    def _message(self, explanation: Explanation, state: str) -> dict[str, Any]:
        facts = explanation.provenance
        share = (facts["evaluations"] - 1) / max(1, facts["windows"] * facts["samples"])
        spent = time.monotonic() - self._started - self._paused
        return {
            "state": state,
            "told": self._told,
            "share": share,
            "seconds": spent * (1 - share) / share if share else None,
            "atMost": facts["tolerance"] != "",
            "windows": explanation.data.sizes["window"],
            "of": facts["windows"],
            "relativeError": facts["relative_error"] if facts["relative_error"] != "" else None,
            **_viewer(explanation).news(explanation),
        }


class _Viewer(Protocol):
    """A kind of page."""

    def render(self, explanations: Sequence[Explanation], *, live: bool) -> str:
        """HTML."""

    def news(self, explanation: Explanation) -> dict[str, Any]:
        """What its script gets of a new map."""


def _viewer(explanation: Explanation) -> _Viewer:
    """What shows an explanation: the page of pictures or of volumes."""
    return picture if explanation.coverage.ndim == 2 else volume


def _check(explanation: Explanation) -> None:
    """Raise a SettingError if there is no page for an explanation."""
    if explanation.coverage.ndim not in {2, 3}:
        raise SettingError(
            f"live: an explanation of shape {explanation.coverage.shape}, expected a picture "
            "(y, x) or a volume (z, y, x); leave --live out"
        )
    if explanation.coverage.ndim == 3:
        volume.check(explanation)


def _is_over(explanation: Explanation) -> bool:
    """Whether the first map is the last: in closed form, of which there is nothing to watch."""
    return not explanation.provenance["samples"]
