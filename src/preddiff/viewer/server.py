"""The server of a live page: on loopback, for one reader who knows its address."""

from __future__ import annotations

import hmac
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

_HEARTBEAT = 10.0  # seconds between two signs of life, by which a closed page is noticed
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address is the key
    "X-Content-Type-Options": "nosniff",
}


class Show(Protocol):
    """What is served."""

    def page(self) -> str | None:
        """HTML, None if there is none yet."""

    def news(self, known: int, seconds: float) -> tuple[int, str | None, bool]:
        """Version, message or None, and whether it is the last; waits for some seconds."""

    def ask(self, wish: str) -> bool:
        """Do what a reader wishes; false if that is unknown."""


class Server(ThreadingHTTPServer):
    """Serves a page at a random address, its news as server-sent events, and takes wishes.

    Every request has to know the token and to name this server as its host; what asks for a change,
    and what says where it comes from, has to come from the page itself. So neither another user of
    the machine nor a page in the same browser can read or stop an analysis.
    """

    daemon_threads = True

    def __init__(self, show: Show) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.show = show
        self.token = secrets.token_urlsafe(24)
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.opened = threading.Event()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"{self.origin}/{self.token}/"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """End, but let a page that was opened hear the last news."""
        if self.opened.is_set():
            self.ended.wait(patience)
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "preddiff"
    sys_version = ""

    def do_GET(self) -> None:
        if not self._is_admitted(changes=False):
            return
        place = self.path.split("/", 2)[2]
        if place == "":
            self._page()
        elif place == "events":
            self._events()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        if not self._is_admitted(changes=True):
            return
        known = self.server.show.ask(self.path.split("/", 2)[2])
        self._head(HTTPStatus.NO_CONTENT if known else HTTPStatus.NOT_FOUND, "text/plain")

    def _is_admitted(self, *, changes: bool) -> bool:
        origin = self.headers.get("Origin")
        parts = self.path.split("/", 2)
        admitted = (
            self.server.origin == f"http://{self.headers.get('Host')}"
            and (origin == self.server.origin if changes or origin is not None else True)
            and self.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}
            and len(parts) == 3
            and hmac.compare_digest(parts[1].encode(), self.server.token.encode())
        )
        if not admitted:
            self.send_error(HTTPStatus.FORBIDDEN)
        return admitted

    def _page(self) -> None:
        text = self.server.show.page()
        if text is None:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self.server.opened.set()
        self._head(HTTPStatus.OK, "text/html; charset=utf-8")
        self.wfile.write(text.encode())

    def _events(self) -> None:
        self._head(HTTPStatus.OK, "text/event-stream")
        known, is_last = 0, False
        try:
            while not is_last:
                known, message, is_last = self.server.show.news(known, _HEARTBEAT)
                self.wfile.write(b":\n\n" if message is None else f"data: {message}\n\n".encode())
                self.wfile.flush()
        except OSError:  # the page was closed
            return
        self.server.ended.set()

    def _head(self, status: HTTPStatus, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_about: object) -> None:
        """Nothing: standard error belongs to the analysis."""
