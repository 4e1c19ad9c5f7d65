"""Simulated users: each writes numbered rows and reads them back through the public name only.

A client knows a name, a DNS server and the answers that it got. It caches an address for exactly
the record's TTL. It logs each write before sending it, in a ledger outside the twin.
"""

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

from otherside.drill.entries import ReadEntry, RequestEntry, SentEntry, WriteEntry
from otherside.drill.journal import JsonLinesFile
from otherside.drill.measurements import ACKNOWLEDGED
from otherside.drill.workload import HttpRequest, Row, Workload

TIMEOUT_S = 5.0
"""How long a client waits for an answer, in twin seconds."""
TIMEOUT_REAL_S = 0.75
"""The minimum wait in machine seconds: a higher drill speed does not make the CPU faster."""
PACE_S = 1.0
"""Twin seconds between consecutive writes of one client."""


class LoadClock(Protocol):
    """The twin's clock."""

    def now_s(self) -> float:
        """Return twin seconds since 1970."""

    def real_s(self, twin_s: float) -> float:
        """Convert a duration from twin seconds to machine seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where users reach the application, and what they ask there."""

    host: str
    protocol: str
    port: int
    dns: tuple[str, int]
    clock: LoadClock
    authority: str | None = None
    """The file of trusted CA certificates."""
    verified: bool = True
    """Whether the certificate must match the name; `False` when asking one side directly."""
    workload: Workload = field(default_factory=Workload)


@dataclass(slots=True)
class ClientConnection:
    """A user's connection to the address that the name resolves to, cached for the record's TTL."""

    door: Endpoint
    address: str | None = None
    _until_s: float = 0.0
    _made: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        """Send a request; return the status and JSON body. Status 0 means no answer."""
        status, text, error = self.send(HttpRequest(method=method, path=path))
        return status, _json(text) if error is None else {"error": error}

    def send(self, request: HttpRequest) -> tuple[int, bytes, str | None]:
        """Send a request; return the status, the body, and what failed. Status 0: no answer."""
        headers = {"Host": self.door.host}
        if request.content_type is not None:
            headers["Content-Type"] = request.content_type
        try:
            made = self._connection()
            made.request(request.method, request.path, body=request.body, headers=headers)
            answer = made.getresponse()
            text = answer.read()
            if answer.will_close:
                self.close()
        except (OSError, http.client.HTTPException, dns.exception.DNSException) as error:
            self.close()
            return 0, b"", type(error).__name__
        said = _json(text).get("error")
        return answer.status, text, said if isinstance(said, str) else None

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
        """Resolve the name, and set the cache expiry from the record's TTL."""
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
        """Close the connection but keep the address."""
        if self._made is not None:
            self._made.close()
            self._made = None


class _Secure(http.client.HTTPSConnection):
    """HTTPS to an address, verified against the name that the user requested."""

    def __init__(self, address: str, door: Endpoint, *, timeout: float) -> None:
        self._name, self._tls = door.host, ssl.create_default_context(cafile=door.authority)
        if not door.verified:
            self._tls.check_hostname = False
        super().__init__(address, door.port, timeout=timeout, context=self._tls)

    def connect(self) -> None:
        """Connect, and send the requested name as SNI."""
        http.client.HTTPConnection.connect(self)
        assert self.sock is not None, "connected without a socket"
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def key_prefix(seed: int) -> str:
    """Return the key prefix of one drill: earlier drills may have written to the same twin."""
    return f"d{seed}-"


@dataclass(slots=True)
class Client:
    """One user: writes until stopped, and reads back what it has written."""

    number: int
    door: Endpoint
    store: JsonLinesFile
    share: Callable[[RequestEntry], None]
    drill: int
    """The drill's seed."""
    _acknowledged: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start writing in a background thread."""
        name = f"client {self.number}"
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the client to stop after its current write."""
        self._stop.set()

    def join(self) -> None:
        """Wait until the last answer is recorded."""
        if self._thread is not None:
            self._thread.join()
        self.store.close()

    def _live(self) -> None:
        clock, chance = self.door.clock, random.Random(self.drill * 1000 + self.number)  # noqa: S311 - repeatable
        connection = ClientConnection(self.door)
        numbers = itertools.count(1)
        row = self._row(next(numbers), chance)
        while not self._stop.is_set():
            if self._write(connection, row):
                row = self._row(next(numbers), chance)
            self._read(connection, chance)
            self._stop.wait(clock.real_s(PACE_S))
        connection.close()

    def _row(self, n: int, chance: random.Random) -> Row:
        """Return the next row: a key that names drill, client and number, and a random value."""
        return self.door.workload.row(f"{key_prefix(self.drill)}{self.number}-{n:06}", chance)

    def _write(self, connection: ClientConnection, row: Row) -> bool:
        """Send a row; return whether it was acknowledged. The caller resends it if not."""
        sent_s = self.door.clock.now_s()
        self.store.put(SentEntry(at_s=sent_s, key=row.key, sha256=row.digest))
        answer = connection.send(self.door.workload.write(row))
        done = answer[0] in ACKNOWLEDGED
        if done:
            self._acknowledged.append(row.key)
        self._note(WriteEntry, row.key, row.digest, sent_s, answer)
        return done

    def _read(self, connection: ClientConnection, chance: random.Random) -> None:
        """Read a recently acknowledged row, if there is one."""
        if not self._acknowledged:
            return
        key = chance.choice(self._acknowledged[-50:])
        sent_s = self.door.clock.now_s()
        answer = connection.send(self.door.workload.read(key))
        self._note(ReadEntry, key, self.door.workload.proof(answer[1]), sent_s, answer)

    def _note(
        self,
        kind: type[RequestEntry],
        key: str,
        digest: str,
        sent_s: float,
        answer: tuple[int, bytes, str | None],
    ) -> None:
        status, text, error = answer
        entry = kind(
            at_s=self.door.clock.now_s(),
            client=self.number,
            key=key,
            sha256=digest,
            sent_s=round(sent_s, 3),
            status=status,
            region=self.door.workload.region(text),
            error=error,
        )
        self.store.put(entry)
        self.share(entry)
