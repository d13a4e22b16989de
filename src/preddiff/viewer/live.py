"""An analysis that can be watched, paused and stopped, in a page on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from preddiff.errors import SettingError
from preddiff.results.explanation import Explanation
from preddiff.viewer import picture, volume
from preddiff.viewer.server import Server

_PATIENCE_SECONDS = 5.0  # for a page that was opened to get the last update
_STATE_AFTER = {"pause": "paused", "resume": "running", "stop": "stopping"}


class Live:
    """A callback for `explain` that shows the map while it sharpens.

    Use it as a context manager: its server stops at the end. The analysis goes on whether or not
    anybody looks; a reader can pause and stop it.

    It is used by two kinds of threads. The thread of the analysis calls it with new maps and waits
    while it is paused; threads of the server, one per request, read the newest map and wait for the
    next. `_changed` guards the state between them and wakes whoever waits. Maps carry a version, so
    that a slow page gets the newest one and never one twice.

    Parameters
    ----------
    announce : called with the address of the page, once there is a map.
    """

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self._changed = threading.Condition()
        self._explanation: Explanation | None = None
        self._version = 0
        self._state = "running"  # running, paused, stopping or done
        self._outcome = ""
        self._started = time.monotonic()
        self._paused_seconds = 0.0
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
        self._server.stop(_PATIENCE_SECONDS)

    def __call__(self, explanation: Explanation) -> bool:
        """Show a map; true if a reader has stopped the analysis."""
        is_first = self._explanation is None
        if is_first:
            _check(explanation)
        self._show(explanation)
        if is_first and not _is_complete(explanation):
            self._announce(self._server.address)
        begun = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._state != "paused")
        self._paused_seconds += time.monotonic() - begun
        return self._state == "stopping"

    def finish(self, outcome: str, explanation: Explanation | None = None) -> None:
        """Show the last map, with a sentence on what became of it."""
        self._outcome = outcome
        self._state = "done"
        self._show(explanation or self._explanation)

    def control(self, action: str) -> bool:
        """Pause, resume or stop the analysis; false if `action` is none of these."""
        if action not in _STATE_AFTER:
            return False
        with self._changed:
            if self._state in {"running", "paused"}:
                self._state = _STATE_AFTER[action]
            self._version += 1
            self._changed.notify_all()
        return True

    def page(self) -> str | None:
        """Return the page with the map so far; None if there is none yet."""
        if self._explanation is None:
            return None
        return _viewer(self._explanation).render([self._explanation], live=True)

    def wait_for_update(self, known: int, seconds: float) -> tuple[int, str | None, bool]:
        """Wait for a version above `known`, at most some seconds.

        This is long polling: the request is held open until there is something to say, so that a
        map is shown as soon as it exists, and nobody asks in vain.

        Returns
        -------
        version, its message as JSON (None if nothing is new), and whether it is the last.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._version > known, seconds)
            version, explanation, state = self._version, self._explanation, self._state
        # The message is made outside of the lock: packing maps takes a while, in which the analysis
        # would have to wait. An explanation is frozen, so it cannot change meanwhile.
        if version == known or explanation is None:
            return version, None, state == "done"
        return version, json.dumps(self._message(explanation, state)), state == "done"

    def _show(self, explanation: Explanation | None) -> None:
        with self._changed:
            self._explanation = explanation
            self._version += 1
            self._changed.notify_all()

    def _message(self, explanation: Explanation, state: str) -> dict[str, object]:
        facts = explanation.provenance
        # One evaluation is that of the unperturbed input. With a tolerance, `samples` is the most
        # that a window gets, so the share is a lower bound and the time left an upper one.
        hidden = facts["sets"] or facts["windows"]
        share = (facts["evaluations"] - 1) / max(1, hidden * facts["samples"])
        spent = time.monotonic() - self._started - self._paused_seconds
        return {
            "state": state,
            "outcome": self._outcome,
            "share": share,
            "seconds": spent * (1 - share) / share if share else None,
            "atMost": facts["tolerance"] != "",
            "windows": explanation.data.sizes["window"],
            "allWindows": facts["windows"],
            "relativeError": facts["relative_error"] if facts["relative_error"] != "" else None,
            **_viewer(explanation).update(explanation),
        }


class _Viewer(Protocol):
    """A module that makes pages of one kind."""

    def render(self, explanations: Sequence[Explanation], *, live: bool) -> str:
        """Return the page as HTML."""

    def update(self, explanation: Explanation) -> dict[str, object]:
        """Return what the page's script needs of a new map."""


def _viewer(explanation: Explanation) -> _Viewer:
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


def _is_complete(explanation: Explanation) -> bool:
    """Return whether the first map is the last: that of the closed form, which takes no draws."""
    return not explanation.provenance["samples"]
