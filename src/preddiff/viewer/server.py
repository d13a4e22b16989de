"""The server of a live page: on the loopback interface, for whoever knows its address."""

from __future__ import annotations

import contextlib
import hmac
import secrets
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

# Between two comments in the event stream. A closed tab is only noticed when a write to it fails:
# without them, its thread would wait for an update that may never come.
_HEARTBEAT_SECONDS = 10.0

# A client that neither reads what it is sent nor sends what it began with holds a thread: after
# this time it is hung up on. A page on the same machine takes much less.
_CLIENT_SECONDS = 60.0
_REQUEST_SECONDS = 10.0  # in which all headers have to be there

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Content-Type-Options": "nosniff",
}


class LivePage(Protocol):
    """The page that a server serves, and what a reader may ask of it."""

    def page(self) -> str | None:
        """Return the page as HTML; None if there is none yet."""

    def wait_for_update(self, known: int, seconds: float) -> tuple[int, str | None, bool]:
        """Return the version, a message or None, and whether it is the last; wait if need be."""

    def control(self, action: str) -> bool:
        """Do what a reader pressed; false if there is no such action."""


class Server(ThreadingHTTPServer):
    """Serves a page at a random address, with its updates as server-sent events.

    Any program and any web page on this machine can reach a loopback port, so a port is no
    protection. Four checks are made of each request:

    - the **token** in the path, 192 random bits: other users and pages do not know it;
    - the **Host** header: a hostile domain that resolves to 127.0.0.1 (DNS rebinding) makes the
      browser treat this server as its own, but still names that domain here;
    - the **Origin** header: of a page elsewhere that posts a form or calls fetch, the browser says
      so; whatever changes the analysis must come from the page itself;
    - **Sec-Fetch-Site**, by which browsers also mark links and images on other sites.
    """

    daemon_threads = True

    def __init__(self, live_page: LivePage) -> None:
        super().__init__(("127.0.0.1", 0), _RequestHandler)
        self.live_page = live_page
        self.token = secrets.token_urlsafe(24)
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.was_opened = threading.Event()
        self.was_told_last = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """URL of the page, with the token."""
        return f"{self.origin}/{self.token}/"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Stop serving; a page that was opened has `patience` seconds to get the last update."""
        if self.was_opened.is_set():
            self.was_told_last.wait(patience)
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hung up, or were hung up on: they close tabs as they like."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _RequestHandler(BaseHTTPRequestHandler):
    server: Server
    timeout = _CLIENT_SECONDS  # of one reading or one writing
    server_version = "preddiff"
    sys_version = ""

    def handle_one_request(self) -> None:
        """Answer a request, if all of it comes in time; a byte now and then is no request."""
        self._deadline = threading.Timer(_REQUEST_SECONDS, self._hang_up)
        self._deadline.daemon = True
        self._deadline.start()
        try:
            super().handle_one_request()
        finally:
            self._deadline.cancel()

    def parse_request(self) -> bool:
        """Return whether the request can be answered, which may then take its time."""
        complete = super().parse_request()
        self._deadline.cancel()
        return complete

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):  # the client was faster
            self.connection.shutdown(socket.SHUT_RDWR)

    def do_GET(self) -> None:
        if not self._is_admitted(changes_state=False):
            return
        path = self.path.split("/", 2)[2]  # what follows the token
        if path == "":
            self._send_page()
        elif path == "events":
            self._send_events()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        if not self._is_admitted(changes_state=True):
            return
        is_known = self.server.live_page.control(self.path.split("/", 2)[2])
        self._send_head(HTTPStatus.NO_CONTENT if is_known else HTTPStatus.NOT_FOUND, "text/plain")

    def _is_admitted(self, *, changes_state: bool) -> bool:
        origin = self.headers.get("Origin")
        parts = self.path.split("/", 2)
        is_own_origin = origin == self.server.origin
        admitted = (
            self.server.origin == f"http://{self.headers.get('Host')}"
            # A page that is opened by hand sends no Origin; what changes the analysis always does.
            and (is_own_origin or (origin is None and not changes_state))
            and self.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}
            and len(parts) == 3
            # In constant time: a comparison that stops at the first wrong letter could be timed.
            and hmac.compare_digest(parts[1].encode(), self.server.token.encode())
        )
        if not admitted:
            self.send_error(HTTPStatus.FORBIDDEN)
        return admitted

    def _send_page(self) -> None:
        text = self.server.live_page.page()
        if text is None:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self.server.was_opened.set()
        self._send_head(HTTPStatus.OK, "text/html; charset=utf-8")
        self.wfile.write(text.encode())

    def _send_events(self) -> None:
        """Hold the request open and write each update as it comes, until the last."""
        self._send_head(HTTPStatus.OK, "text/event-stream")
        known, is_last = 0, False
        try:
            while not is_last:
                known, message, is_last = self.server.live_page.wait_for_update(
                    known, _HEARTBEAT_SECONDS
                )
                # A line that begins with a colon is a comment, which browsers ignore.
                self.wfile.write(b":\n\n" if message is None else f"data: {message}\n\n".encode())
                self.wfile.flush()
        except OSError:  # the tab was closed
            return
        self.server.was_told_last.set()

    def _send_head(self, status: HTTPStatus, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def end_headers(self) -> None:
        """Send the headers that every response has."""
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_args: object) -> None:
        """Log nothing: standard error belongs to the analysis."""
