"""HTTP/1.1 over asyncio streams with h11: one side of a connection.

Load balancers, health checkers, Lambda's Runtime API and the instance metadata service use it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self

import h11

CHUNK = 65_536
HEAD_MAX = 65_536
"""Maximum bytes of a message's head, as for an Application Load Balancer."""
Headers = list[tuple[bytes, bytes]]
"""Names in lower case; a name may occur more than once."""
HOP_BY_HOP = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization"),
        *(b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
"""Hop-by-hop headers, which a proxy must not forward (RFC 9110, 7.6.1)."""


class BadMessageError(ValueError):
    """Raised when a peer violates HTTP/1.1; `status` is the server's response to it."""

    def __init__(self, reason: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(slots=True)
class Connection:
    """The server's or the client's side of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: h11.Connection
    method: bytes = b""
    """On the server's side, the method of the current request."""

    @classmethod
    def server(cls, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Self:
        """Return the server's side of a connection."""
        return cls(reader, writer, h11.Connection(h11.SERVER, HEAD_MAX))

    @classmethod
    def client(cls, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Self:
        """Return the client's side of a connection."""
        return cls(reader, writer, h11.Connection(h11.CLIENT, HEAD_MAX))

    async def receive(self) -> h11.Event:
        """Return the next event, skipping informational responses.

        Raises:
            BadMessageError: If the received data is not HTTP/1.1.
            OSError: If the connection fails.
        """
        while True:
            try:
                event = self.protocol.next_event()
            except h11.RemoteProtocolError as error:
                served = self.protocol.our_role is h11.SERVER
                status = error.error_status_hint if served else HTTPStatus.BAD_GATEWAY
                raise BadMessageError(str(error), status) from error
            if event is h11.PAUSED:
                reason = "the peer changed the protocol of the connection"
                raise BadMessageError(reason, HTTPStatus.BAD_GATEWAY)
            if event is h11.NEED_DATA:
                if self.protocol.they_are_waiting_for_100_continue:
                    await self.send(h11.InformationalResponse(status_code=100, headers=[]))
                self.protocol.receive_data(await self.reader.read(CHUNK))
            elif not isinstance(event, h11.InformationalResponse):
                assert not isinstance(event, type), "an unhandled pseudo-event"
                return event

    async def request(self) -> h11.Request | None:
        """Return the next request, or `None` if the client has closed the connection.

        Raises:
            BadMessageError: If the received data is not a request.
        """
        event = await self.receive()
        if not isinstance(event, h11.Request):
            return None
        self.method = event.method
        return event

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body of the message that is being received.

        Raises:
            BadMessageError: If it ends before its length, or is badly framed.
        """
        while isinstance(event := await self.receive(), h11.Data):
            yield bytes(event.data)

    async def read_body(self) -> bytes:
        """Return the whole body of the message that is being received."""
        return b"".join([part async for part in self.body()])

    async def send(self, event: h11.Event) -> None:
        """Send one event.

        Raises:
            OSError: If the connection fails.
        """
        data = self.protocol.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def respond(
        self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        """Send a whole response. HEAD, 204 and 304 responses have no body, even if one is given."""
        bodiless = self.method == b"HEAD" or status in {204, 304}
        known = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        if status != HTTPStatus.NO_CONTENT:
            known.append((b"Content-Length", str(len(body)).encode()))
        await self.send(h11.Response(status_code=status, headers=known, reason=phrase(status)))
        if body and not bodiless:
            await self.send(h11.Data(data=body))
        await self.send(h11.EndOfMessage())

    async def next_cycle(self) -> bool:
        """Prepare for the next request; return whether the connection stays open.

        A request body that was not read yet is read and discarded.
        """
        protocol = self.protocol
        if protocol.their_state is h11.SEND_BODY and not protocol.they_are_waiting_for_100_continue:
            async for _ in self.body():
                continue
        if protocol.our_state is not h11.DONE or protocol.their_state is not h11.DONE:
            return False
        protocol.start_next_cycle()
        return True


@dataclass(frozen=True, slots=True)
class Response:
    """The head of a response, and the connection to read its body from."""

    status: int
    headers: Headers
    connection: Connection = field(repr=False)


async def fetch(
    connection: Connection,
    method: bytes,
    target: bytes,
    headers: Headers,
    body: AsyncIterator[bytes] | None = None,
) -> Response:
    """Send a request and return the head of its response.

    Raises:
        BadMessageError: If the answer is not HTTP/1.1.
        OSError: If the connection fails.
    """
    await connection.send(h11.Request(method=method, target=target, headers=headers))
    if body is not None:
        async for part in body:
            await connection.send(h11.Data(data=part))
    await connection.send(h11.EndOfMessage())
    event = await connection.receive()
    if not isinstance(event, h11.Response):
        reason = "the connection was closed without a response"
        raise BadMessageError(reason, HTTPStatus.BAD_GATEWAY)
    return Response(event.status_code, list(event.headers), connection)


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers that a proxy forwards, repeated ones included, in their original order."""
    known = list(headers)
    named = {
        token.strip().lower()
        for name, value in known
        if name.lower() == b"connection"
        for token in value.split(b",")
    }
    dropped = HOP_BY_HOP | named
    return [(name, value) for name, value in known if name.lower() not in dropped]


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """Return the first value of a header, or an empty string if it is missing."""
    return next((value.decode("latin-1") for key, value in headers if key == name), "")


def phrase(status: int) -> bytes:
    """Return the reason phrase of a status, or an empty one if it has none."""
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""
