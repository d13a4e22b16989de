"""The server of a live page: whom it serves, and whom it refuses."""

import contextlib
import http.client
import json
import socket
import threading
import time

import pytest

from preddiff.viewer import server as server_module
from preddiff.viewer.server import Server


class FakePage:
    """What a server serves, without an analysis."""

    def __init__(self):
        self.actions = []

    def page(self):
        return "<p>the map</p>"

    def wait_for_update(self, known, seconds):
        return known + 1, json.dumps({"number": known}), known == 1

    def control(self, action):
        self.actions.append(action)
        return action == "stop"


@pytest.fixture
def server():
    served = Server(FakePage())
    served.start()
    yield served
    served.stop(patience=0)


def status(server, method="GET", path="", token=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    path = f"/{server.token if token is None else token}/{path}"
    connection.request(method, path, headers={"Host": server.origin[7:]} | (headers or {}))
    answer = connection.getresponse()
    answer.body = answer.read()
    connection.close()
    return answer


def test_who_knows_the_address_gets_the_page(server):
    assert server.address == f"{server.origin}/{server.token}/"
    assert server.server_address[0] == "127.0.0.1"
    answer = status(server)
    assert (answer.status, answer.body) == (200, b"<p>the map</p>")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert status(server, path="other").status == 404
    assert len(server.token) >= 32


def test_updates_come_as_server_sent_events_until_the_last(server):
    answer = status(server, path="events")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.body == b'data: {"number": 0}\n\ndata: {"number": 1}\n\n'


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "guess"},
        {"token": ""},
        {"headers": {"Host": "evil.example"}},
        {"headers": {"Host": "127.0.0.1"}},
        {"headers": {"Origin": "http://evil.example"}},
        {"headers": {"Origin": "null"}},
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
    ],
)
def test_others_are_refused(server, method, wrong):
    own = {"Origin": server.origin} if method == "POST" else {}
    headers = own | wrong.get("headers", {})
    answer = status(server, method, "stop", wrong.get("token"), headers)
    assert answer.status == 403
    assert server.live_page.actions == []


def test_an_action_has_to_come_from_the_page(server):
    assert status(server, "POST", "stop").status == 403
    own = {"Origin": server.origin}
    assert status(server, "POST", "stop", headers=own).status == 204
    assert status(server, "POST", "format", headers=own).status == 404
    assert server.live_page.actions == ["stop", "format"]


def connected(server, request):
    """A client that has sent some bytes."""
    client = socket.create_connection(("127.0.0.1", server.server_port), timeout=10)
    client.sendall(request)
    return client


def test_a_client_that_hangs_up_prints_nothing(server, capfd, monkeypatch):
    monkeypatch.setattr(FakePage, "page", lambda self: "x" * 50_000_000)
    for _ in range(3):
        request = f"GET /{server.token}/ HTTP/1.0\r\nHost: {server.origin[7:]}\r\n\r\n"
        client = connected(server, request.encode())
        client.recv(10)
        # With unread data, closing resets the connection.
        client.close()
    time.sleep(0.5)
    assert status(server).status == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("request_", [b"", b"GET", b"GET / HTTP/1.0\r\nHost: x\r\n"])
def test_a_client_that_never_finishes_its_request_is_hung_up_on(server, monkeypatch, request_):
    monkeypatch.setattr(server_module, "_REQUEST_SECONDS", 0.3)
    client = connected(server, request_)
    begin = time.monotonic()
    with contextlib.suppress(OSError):
        while client.recv(100):
            pass
    client.close()
    assert time.monotonic() - begin < 5


def test_a_client_that_never_reads_is_hung_up_on(server, monkeypatch):
    monkeypatch.setattr(FakePage, "page", lambda self: "x" * 50_000_000)
    monkeypatch.setattr(server_module._RequestHandler, "timeout", 0.3)
    before = threading.active_count()
    request = f"GET /{server.token}/ HTTP/1.0\r\nHost: {server.origin[7:]}\r\n\r\n"
    client = connected(server, request.encode())
    time.sleep(0.1)
    end = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert threading.active_count() <= before
    client.close()
