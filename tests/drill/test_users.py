"""Clients against servers of our own: what they keep, what they write down, whom they believe."""

import hashlib
import http.server
import json
import socketserver
import threading
import time

import dns.flags
import dns.message
import dns.rrset
import pytest

from otherside.drill.entries import as_json
from otherside.drill.journal import JsonLinesFile
from otherside.drill.load import Client, ClientConnection, Endpoint
from otherside.drill.workload import Row, Workload


class Clock:
    """A clock that a test sets."""

    offset_s = 0.0

    def now_s(self):
        """Return seconds."""
        return time.monotonic() + self.offset_s

    def real_s(self, twin_s):
        """Return how long a span takes here."""
        return twin_s / 100


class Names(socketserver.ThreadingUDPServer):
    """A DNS server that answers what it is told to."""

    address, asked = "127.0.0.1", 0

    class Handler(socketserver.BaseRequestHandler):
        """One question."""

        def handle(self):
            """Answer it."""
            data, socket = self.request
            query = dns.message.from_wire(data)
            answer = dns.message.make_response(query)
            self.server.asked += 1
            if self.server.address:
                name = query.question[0].name
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", self.server.address))
            socket.sendto(answer.to_wire(), self.client_address)


class App(http.server.ThreadingHTTPServer):
    """An application that keeps rows, and fails when it is told to."""

    daemon_threads = True

    def __init__(self, address):
        self.rows, self.failing, self.hosts = {}, 0, set()
        super().__init__(address, self.Handler)

    class Handler(http.server.BaseHTTPRequestHandler):
        """One request."""

        protocol_version = "HTTP/1.1"

        def do_PUT(self):
            """Keep a row."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.hosts.add(self.headers["Host"])
            if self.server.failing:
                self.server.failing -= 1
                self.answer(503, {"error": "OperationalError"})
                return
            key = self.path.rpartition("/")[2]
            status = 200 if key in self.server.rows else 201
            self.server.rows[key] = hashlib.sha256(body).hexdigest()
            self.answer(status, {"sha256": self.server.rows[key], "region": "us-east-2"})

        def do_GET(self):
            """Return a row."""
            key = self.path.rpartition("/")[2]
            known = self.server.rows.get(key)
            self.answer(200 if known else 404, {"sha256": known, "region": "us-east-2"})

        def answer(self, status, told):
            """Answer in JSON."""
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            """Say nothing."""


def serve(server):
    """Run a server until the test is over."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    return thread


@pytest.fixture
def place():
    """Return an application, a DNS server and the door that they make."""
    app, names = App(("127.0.0.1", 0)), Names(("127.0.0.1", 0), Names.Handler)
    threads = [serve(app), serve(names)]
    door = Endpoint(
        host="orders.example.com",
        protocol="http",
        port=app.server_address[1],
        dns=names.server_address,
        clock=Clock(),
    )
    yield app, names, door
    for item in (app, names):
        item.shutdown()
        item.server_close()
    for thread in threads:
        thread.join()


def test_an_address_is_kept_for_as_long_as_its_record_says(place):
    """Not asked for again before, and never used after."""
    app, names, door = place
    connection = ClientConnection(door)
    write = Workload().write(Row(key="a", value=b"x"))
    assert connection.send(write)[0] == 201
    names.address = "127.0.0.99"
    assert connection.send(write)[0] == 200, "still where it was"
    door.clock.offset_s += 61
    assert connection.send(write)[0] == 0, "nobody is at the new address"
    assert names.asked == 2
    assert app.hosts == {"orders.example.com"}
    connection.close()


def test_a_name_that_leads_nowhere_is_an_answer_of_nothing(place):
    """Status 0, with the kind of error."""
    _, names, door = place
    names.address = ""
    assert ClientConnection(door).ask("GET", "/entries/a") == (0, {"error": "OSError"})


def played(place, directory, until):
    """Let a client live until something holds; return its ledger."""
    told = []
    client = Client(1, place[2], JsonLinesFile(directory / "client-1.jsonl"), told.append, 7)
    client.start()
    deadline_s = time.monotonic() + 60
    while not until(told) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    client.stop()
    client.join()
    lines = (directory / "client-1.jsonl").read_text().splitlines()
    return [as_json(entry) for entry in told], [json.loads(line) for line in lines]


def test_what_is_acknowledged_is_in_the_ledger_with_its_digest(place, tmp_path):
    """Each sent before it is answered, and each under a key of its own."""
    told, ledger = played(place, tmp_path, lambda told: len(told) > 10)
    writes = [entry for entry in ledger if entry["kind"] == "write"]
    assert {write["status"] for write in writes} == {201}
    assert {write["key"]: write["sha256"] for write in writes} == place[0].rows
    assert all(write["key"].startswith("d7-1-") for write in writes)
    sent = [entry["key"] for entry in ledger if entry["kind"] == "sent"]
    assert sent == [write["key"] for write in writes]
    assert [entry for entry in ledger if entry["kind"] != "sent"] == told


def test_a_write_that_is_not_acknowledged_is_sent_again_and_reads_go_on(place, tmp_path):
    """Under the same key, until somebody takes it; users read meanwhile."""
    _, ledger = played(place, tmp_path, lambda told: len(told) > 3)
    place[0].failing = 5
    again = tmp_path / "again"
    again.mkdir()
    place[0].rows.clear()
    _, ledger = played(place, again, lambda told: sum(item.status == 201 for item in told) > 4)
    failed = [entry for entry in ledger if entry["kind"] == "write" and entry["status"] == 503]
    assert len(failed) == 5
    assert {item["key"] for item in failed} == {"d7-1-000001"}
    assert failed[0]["error"] == "OperationalError"
    first = [
        entry for entry in ledger if entry["kind"] == "write" and entry["key"] == "d7-1-000001"
    ]
    assert [item["status"] for item in first] == [503] * 5 + [201]
    assert [entry for entry in ledger if entry["kind"] == "read"]


def test_the_same_seed_writes_the_same(place, tmp_path):
    """A drill can be repeated."""
    bodies = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        place[0].rows.clear()
        played(place, tmp_path / name, lambda told: len(told) > 6)
        bodies.append(dict(list(place[0].rows.items())[:3]))
    assert bodies[0] == bodies[1]
