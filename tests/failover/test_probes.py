"""Questions over HTTP and to DNS, against a server on the loopback."""

import http.server
import socket
import threading
import time

import pytest

from otherside.core.topology import Side
from otherside.core.wire_contract import TRAFFIC_STATES
from otherside.failover.aws import http_probes
from otherside.failover.decision.observation import Reading


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as its path says."""

    def do_GET(self):
        """Answer."""
        seen.append((self.path, self.headers["Host"]))
        if self.path == "/hang":
            time.sleep(3)
        self.send_response(int(self.path[1:]) if self.path[1:].isdigit() else 200)
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


seen: list = []


@pytest.fixture
def server():
    """A server of its own port."""
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        made.server_close()


@pytest.mark.parametrize(
    ("path", "reading"),
    [
        ("/200", Reading.GOOD),
        ("/204", Reading.BAD),
        ("/301", Reading.BAD),
        ("/503", Reading.BAD),
        ("/hang", Reading.BAD),
    ],
)
def test_only_an_answer_of_200_in_time_is_good(server, path, reading):
    """A redirect is not followed: it says nothing of what stands behind it."""
    question = http_probes.Question(url=server, path=path, name="orders.test")
    assert http_probes.ask(question) is reading
    assert (path, "orders.test") in seen, "asked under the public name"


def test_nobody_there_is_bad():
    """Refused, or a name that does not exist."""
    with socket.socket() as item:
        item.bind(("127.0.0.1", 0))
        port = item.getsockname()[1]
    closed = http_probes.Question(url=f"http://127.0.0.1:{port}", path="/", name="orders.test")
    assert http_probes.ask(closed) is Reading.BAD
    nowhere = http_probes.Question(url="http://nowhere.invalid", path="/", name="orders.test")
    assert http_probes.ask(nowhere) is Reading.BAD


def test_the_side_that_dns_prefers_is_an_address(monkeypatch):
    """One of two that lead nowhere; any other is no answer."""
    for side, address in TRAFFIC_STATES.items():
        monkeypatch.setattr(http_probes, "resolve", lambda _name, found=address: found)
        assert http_probes.users_on("state.health.orders.test") is side
    for other in (None, "192.0.2.3"):
        monkeypatch.setattr(http_probes, "resolve", lambda _name, found=other: found)
        assert http_probes.users_on("state.health.orders.test") is None


def test_a_name_is_resolved_by_the_machine():
    """The loopback's own name, and one that cannot exist."""
    assert http_probes.resolve("localhost") == "127.0.0.1"
    assert http_probes.resolve("nowhere.invalid") is None
    assert Side.PRIMARY in TRAFFIC_STATES
