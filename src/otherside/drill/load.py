"""Users, played: each writes numbered rows and reads them back, through the public name alone.

A client knows a name, a DNS server and what it was answered. It keeps an address for as long as its
record says and no longer, and writes down what it sent before it sends it, outside of the twin.
"""

import hashlib
import http.client
import itertools
import json
import random
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from otherside.drill.journal import JsonLinesFile
from otherside.drill.recording import Entry

TIMEOUT_S = 5.0
"""Twin seconds that a client waits for an answer."""
TIMEOUT_REAL_S = 0.75
"""The machine's seconds that it waits at the least: no speed makes a processor faster."""
PACE_S = 1.0
"""Twin seconds between two writes of one client."""
BODY_BYTES = 200


class LoadClock(Protocol):
    """The twin's time."""

    def now_s(self) -> float:
        """Return twin seconds since 1970."""

    def real_s(self, twin_s: float) -> float:
        """Return how long a span of twin time takes on the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How users reach the application."""

    host: str
    protocol: str
    port: int
    dns: tuple[str, int]
    clock: LoadClock
    authority: str | None = None
    """Whom to trust: a file of certificates."""
    verified: bool = True
    """Whether the certificate must be for the name: not where one side is asked by its own."""


@dataclass(slots=True)
class ClientConnection:
    """A user's connection: to where the name leads, for as long as the answer may be kept."""

    door: Endpoint
    address: str | None = None
    _until_s: float = 0.0
    _made: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        """Return the status and what was answered; status 0 is no answer at all."""
        try:
            made = self._connection()
            made.request(method, path, body=body, headers={"Host": self.door.host})
            answer = made.getresponse()
            text = answer.read()
            if answer.will_close:
                self.close()
            return answer.status, _json(text)
        except (OSError, http.client.HTTPException, dns.exception.DNSException) as error:
            self.close()
            return 0, {"error": type(error).__name__}

    def _connection(self) -> http.client.HTTPConnection:
        if self.door.clock.now_s() >= self._until_s:
            address = self.look_up()
            if address != self.address:
                self.close()
                self.address = address
        if self._made is None:
            if self.address is None:
                msg = f"{self.door.host} has no address"
                raise OSError(msg)
            self._made = self._open(self.address)
        return self._made

    def _open(self, address: str) -> http.client.HTTPConnection:
        door = self.door
        timeout = max(TIMEOUT_REAL_S, door.clock.real_s(TIMEOUT_S))
        if door.protocol == "http":
            return http.client.HTTPConnection(address, door.port, timeout=timeout)
        return _Secure(address, door, timeout=timeout)

    def look_up(self) -> str | None:
        """Return where the name leads now, and keep it for as long as its record says."""
        host, port = self.door.dns
        query = dns.message.make_query(self.door.host, dns.rdatatype.A)
        answer = dns.query.udp(query, host, port=port, timeout=TIMEOUT_REAL_S)
        for found in answer.answer:
            for item in found:
                if item.rdtype == dns.rdatatype.A:
                    self._until_s = self.door.clock.now_s() + float(found.ttl)
                    return str(item)
        return None

    def close(self) -> None:
        """Close the connection; the address is kept."""
        if self._made is not None:
            self._made.close()
            self._made = None


class _Secure(http.client.HTTPSConnection):
    """HTTPS to an address, verified by the name that the user asked for."""

    def __init__(self, address: str, door: Endpoint, *, timeout: float) -> None:
        self._name, self._tls = door.host, ssl.create_default_context(cafile=door.authority)
        if not door.verified:
            self._tls.check_hostname = False
        super().__init__(address, door.port, timeout=timeout, context=self._tls)

    def connect(self) -> None:
        """Connect, and tell the server which name is meant."""
        http.client.HTTPConnection.connect(self)
        assert self.sock is not None, "connected, and without a socket"
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def key_prefix(seed: int) -> str:
    """Return how the keys of one drill begin: others may have written before, on the same twin."""
    return f"d{seed}-"


@dataclass(slots=True)
class Client:
    """One user: writes until it is told to stop, and reads what it has written."""

    number: int
    door: Endpoint
    store: JsonLinesFile
    share: Callable[[Entry], None]
    drill: int
    """The drill's seed."""
    _acknowledged: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write."""
        name = f"client {self.number}"
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say that this write is the last."""
        self._stop.set()

    def join(self) -> None:
        """Wait until the last answer is written down."""
        if self._thread is not None:
            self._thread.join()
        self.store.close()

    def _live(self) -> None:
        clock, chance = self.door.clock, random.Random(self.drill * 1000 + self.number)  # noqa: S311 - to be repeated
        connection = ClientConnection(self.door)
        numbers = itertools.count(1)
        key, body = self._row(next(numbers), chance)
        while not self._stop.is_set():
            if self._write(connection, key, body):
                key, body = self._row(next(numbers), chance)
            self._read(connection, chance)
            self._stop.wait(clock.real_s(PACE_S))
        connection.close()

    def _row(self, n: int, chance: random.Random) -> tuple[str, bytes]:
        """Return the next row: its key says whose and which, its body what it must hash to."""
        return f"{key_prefix(self.drill)}{self.number}-{n:06}", chance.randbytes(BODY_BYTES)

    def _write(self, connection: ClientConnection, key: str, body: bytes) -> bool:
        """Send a row; return whether it is acknowledged. One that is not is sent again."""
        digest, sent_s = hashlib.sha256(body).hexdigest(), self.door.clock.now_s()
        self.store.put({"kind": "sent", "at_s": sent_s, "key": key, "sha256": digest})
        status, answer = connection.ask("PUT", f"/entries/{key}", body)
        done = status in {200, 201}
        if done:
            self._acknowledged.append(key)
        self._note("write", key, digest, sent_s, status, answer)
        return done

    def _read(self, connection: ClientConnection, chance: random.Random) -> None:
        """Read something that was acknowledged, or the newest list where nothing was."""
        if not self._acknowledged:
            return
        key = chance.choice(self._acknowledged[-50:])
        sent_s = self.door.clock.now_s()
        status, answer = connection.ask("GET", f"/entries/{key}")
        self._note("read", key, str(answer.get("sha256", "")), sent_s, status, answer)

    def _note(
        self,
        kind: str,
        key: str,
        digest: str,
        sent_s: float,
        status: int,
        answer: dict[str, Any],
    ) -> None:
        entry = {
            "kind": kind,
            "at_s": round(self.door.clock.now_s(), 3),
            "client": self.number,
            "key": key,
            "sha256": digest,
            "sent_s": round(sent_s, 3),
            "status": status,
            "region": answer.get("region"),
            "error": answer.get("error"),
        }
        self.store.put(entry, durably=kind == "write")
        self.share(entry)
