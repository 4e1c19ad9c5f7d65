"""HTTP/1.1 through a load balancer: what a client gets is what the target sent."""

import asyncio
from types import SimpleNamespace

import pytest

from otherside.twin.net.http1 import BadMessageError, Connection, end_to_end
from otherside.twin.services.elbv2.load_balancer import _exchange, _say

LISTENER = SimpleNamespace(protocol="HTTP", port=80)


class Target:
    """A server that keeps what it is sent and answers with bytes of its own."""

    def __init__(self, *answer):
        self.answer, self.got = answer, b""

    async def serve(self, reader, writer):
        """Read one request and answer it, piece by piece."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.got = head
        if b"chunked" in head:
            while not self.got.endswith(b"0\r\n\r\n"):
                self.got += await reader.read(1000)
        elif b"content-length: 5" in head.lower():
            self.got += await reader.readexactly(5)
        for piece in self.answer:
            writer.write(piece)
            await writer.drain()
        writer.close()


def through(target, request, *, pieces=1):
    """Return what a client gets of a load balancer with one target."""

    async def work():
        behind = await asyncio.start_server(target.serve, "127.0.0.1", 0)
        where = behind.sockets[0].getsockname()[:2]

        async def balance(reader, writer):
            client = Connection.server(reader, writer)
            balancer = SimpleNamespace(counts={})
            try:
                while (asked := await client.request()) is not None:
                    far = Connection.client(*await asyncio.open_connection(*where))
                    await _exchange(balancer, LISTENER, asked, client, far)
                    far.writer.close()
                    if not await client.next_cycle():
                        break
            except BadMessageError as error:
                await _say(client, error.status)
            finally:
                writer.close()

        front = await asyncio.start_server(balance, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*front.sockets[0].getsockname()[:2])
        size = -(-len(request) // pieces)
        for at in range(0, len(request), size):
            writer.write(request[at : at + size])
            await writer.drain()
        writer.write_eof()
        got = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        for server in (front, behind):
            server.close()
            await server.wait_closed()
        return got

    return asyncio.run(work())


def ask(method="GET", *headers, body=b""):
    """Return a request's bytes."""
    lines = [f"{method} /x HTTP/1.1", "Host: a.example", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_the_answer_to_head_keeps_its_length():
    """It is the length of what GET would get (RFC 9110, 9.3.2)."""
    target = Target(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
    got = through(target, ask("HEAD")).lower()
    assert b"content-length: 1234" in got
    assert got.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("length", ["", "Content-Length: 0\r\n"])
def test_no_content_has_no_length(length):
    """RFC 9110, 8.6."""
    got = through(Target(f"HTTP/1.1 204 No Content\r\n{length}\r\n".encode()), ask("DELETE"))
    assert got.startswith(b"HTTP/1.1 204 ")
    assert b"content-length" not in got.lower()
    assert b"transfer-encoding" not in got.lower()


def test_continue_is_not_taken_for_the_answer():
    """The client gets the final response, whole."""
    target = Target(
        b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone"
    )
    got = through(target, ask("POST", "Content-Length: 5", body=b"hello"))
    assert got.startswith(b"HTTP/1.1 201 ")
    assert got.endswith(b"done")


def test_repeated_headers_survive_both_ways():
    """Two lines of a name are two lines; the client's address is added to X-Forwarded-For."""
    target = Target(
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    )
    forwarded = ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2")
    got = through(target, ask("GET", "Cookie: a=1", "Cookie: b=2", *forwarded))
    assert got.lower().count(b"set-cookie:") == 2
    sent = target.got.lower()
    assert sent.count(b"cookie:") == 2
    assert b"x-forwarded-for: 192.0.2.1, 192.0.2.2, 127.0.0.1\r\n" in sent
    assert b"x-forwarded-proto: http\r\n" in sent


@pytest.mark.parametrize(
    "request_",
    [
        ask("POST", "Content-Length: many"),
        ask("POST", "Content-Length: -1"),
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # without a host
    ],
)
def test_a_bad_request_is_answered_with_400(request_):
    """As an Application Load Balancer does, and nothing reaches the target."""
    target = Target()
    assert through(target, request_).startswith(b"HTTP/1.1 400 ")
    assert target.got == b""


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 nonsense\r\n\r\n"])
def test_a_target_that_speaks_no_http_is_a_bad_gateway(answer):
    """The client is told, and not left waiting."""
    assert through(Target(answer), ask()).startswith(b"HTTP/1.1 502 ")


def test_bodies_are_passed_on_as_they_come():
    """Chunked stays chunked both ways, and a body that ends with the connection is framed."""
    target = Target(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"abc", b"def")
    body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    got = through(target, ask("POST", "Transfer-Encoding: chunked", body=body), pieces=7)
    assert b"hello" in target.got
    assert b"transfer-encoding: chunked" in got.lower()
    assert got.replace(b"\r\n3\r\n", b"").count(b"abc") == 1
    assert got.endswith(b"0\r\n\r\n")


def test_what_concerns_one_connection_is_not_passed_on():
    """Neither the standard's headers nor those that the connection header names."""
    headers = [
        (b"connection", b"close, X-Own"),
        (b"x-own", b"1"),
        (b"keep-alive", b"300"),
        (b"accept", b"*/*"),
    ]
    assert end_to_end(headers) == [(b"accept", b"*/*")]
