"""Aurora's endpoints: TLS, login by IAM or by password, and the server behind them.

A client sees what it would see at AWS. A listener shows a certificate with the endpoint's names and
insists on TLS if `rds.force_ssl` is on. It takes a signed token from a user in `rds_iam` whom IAM
lets connect, and a password from others. An endpoint leads nowhere while its cluster has no
instances. A reader refuses writes.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
"""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlsplit

from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer, Principal
from otherside.twin.gateway.sigv4 import (
    Signature,
    SignedRequest,
    is_signed_with,
    read_signature,
    time_problem,
)
from otherside.twin.guest.scaled_clock import real_wall_s
from otherside.twin.services.rds.postgres import SUPER, Postgres

SSL_REQUEST, CANCEL_REQUEST, GSS_REQUEST = 80877103, 80877102, 80877104
CLEARTEXT = struct.pack("!cII", b"R", 8, 3)
TOKEN_S = 900
"""How long a token is valid, whatever longer time it names."""

StreamPair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseEndpoint:
    """One cluster, as its clients see it."""

    arn: str
    region: str
    resource_id: str
    iam: bool
    """Whether the cluster accepts IAM tokens."""
    names: tuple[str, ...]
    """Every host name that leads to it: a token may be made for each, its certificate has all."""
    tls_required: bool
    """Whether `rds.force_ssl` is on."""


@dataclass(slots=True)
class DatabaseProxy:
    """Serves the endpoints of every cluster."""

    context: TwinContext
    postgres: Postgres
    authorizer: Authorizer
    tls: Callable[[Sequence[str]], ssl.SSLContext]
    """Returns the TLS context of a server with these names."""
    open: Callable[[DatabaseEndpoint], bool]
    """Whether a cluster has an instance to connect to."""
    _servers: list[asyncio.Server] = field(default_factory=list)
    _lines: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(
        self, endpoint: Callable[[], DatabaseEndpoint], address: str, port: int
    ) -> None:
        """Serve a cluster at an address."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._lines.add(task)
            try:
                await self._answer(endpoint(), (reader, writer))
            except (OSError, asyncio.IncompleteReadError, struct.error):
                return
            finally:
                self._lines.discard(task)
                writer.close()

        self._servers.append(await asyncio.start_server(answer, address, port))

    async def close(self) -> None:
        """Stop serving and end every connection."""
        for server in self._servers:
            server.close()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _answer(self, endpoint: DatabaseEndpoint, streams: StreamPair) -> None:
        reader, writer = streams
        if not self.open(endpoint) or not self.context.partitions.stands(endpoint.region):
            return  # no instance: nothing listens
        body = await _startup(reader)
        code = struct.unpack("!I", body[:4])[0]
        secure = False
        while code in {SSL_REQUEST, GSS_REQUEST}:
            if code == SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self.tls(endpoint.names))
                secure = True
            else:
                writer.write(b"N")
            body = await _startup(reader)
            code = struct.unpack("!I", body[:4])[0]
        if code == CANCEL_REQUEST:
            return
        words = body[4:].split(b"\0")
        settings = dict(zip(words[::2], words[1::2], strict=False))
        user = settings.get(b"user", b"").decode()
        if user == SUPER:  # Aurora reserves its own superuser
            _refuse(writer, "28P01", f'password authentication failed for user "{user}"')
            return
        if endpoint.tls_required and not secure:
            database = settings.get(b"database", user.encode()).decode()
            host = writer.get_extra_info("peername")[0]
            text = f'no pg_hba.conf entry for host "{host}", user "{user}", database "{database}"'
            _refuse(writer, "28000", f"{text}, no encryption")
            return
        far = await self._far(endpoint, body)
        if far is None:
            _refuse(writer, "57P03", "the database system is not accepting connections")
            return
        if await self._let_in(endpoint, user, streams, far, secure=secure):
            await _splice(streams, far)
        far[1].close()

    async def _far(self, endpoint: DatabaseEndpoint, startup: bytes) -> StreamPair | None:
        server = self.postgres.server(endpoint.arn)
        if server is None or server.process is None or not server.process.running:
            return None
        try:
            path = str(server.socket / ".s.PGSQL.5432")
            far = await asyncio.open_unix_connection(path)
        except OSError:
            return None
        far[1].write(struct.pack("!I", len(startup) + 4) + startup)
        return far

    async def _let_in(
        self,
        endpoint: DatabaseEndpoint,
        user: str,
        streams: StreamPair,
        far: StreamPair,
        *,
        secure: bool,
    ) -> bool:
        """Log a client in; return whether it may continue."""
        reader, writer = streams
        kind, answer = await _message(far[0])
        by_password = kind == b"R" and struct.unpack("!I", answer[:4])[0] != 0
        if kind != b"R":
            writer.write(_frame(kind, answer))
            await writer.drain()
            return False
        if by_password:  # the server asks for it and checks it itself
            writer.write(_frame(kind, answer))
            return True
        # The server trusts every member of `rds_iam`: IAM decides, not the server.
        writer.write(CLEARTEXT)
        await writer.drain()
        kind, given = await _message(reader)
        token = given.rstrip(b"\0").decode(errors="replace")
        why = self._refusal(endpoint, user, token, secure=secure)
        if why is not None:
            self.context.emit("database", endpoint.region, f"{user} was refused: {why}")
            _refuse(writer, "28P01", f'PAM authentication failed for user "{user}"')
            await writer.drain()
            return False
        writer.write(_frame(b"R", answer))
        return True

    def _refusal(
        self, endpoint: DatabaseEndpoint, user: str, token: str, *, secure: bool
    ) -> str | None:
        """Return why a token is refused, or `None`."""
        if not secure:
            return "the connection is not encrypted"
        if not endpoint.iam:
            return "the cluster takes no tokens of IAM"
        parts = urlsplit(f"https://{token}")
        query = parse_qs(parts.query)
        if query.get("Action") != ["connect"] or query.get("DBUser") != [user]:
            return "what was given for a password is no token for this user"
        if parts.hostname not in endpoint.names:
            return f"the token is for {parts.hostname}"
        signed = SignedRequest(
            method="GET",
            path="/",
            query=parts.query,
            headers={"host": parts.netloc},
            body=b"",
        )
        signature = read_signature(signed)
        if signature is None or signature.region != endpoint.region:
            return "the token was made for another Region"
        holder = self.authorizer.holder_of(signature.key_id)
        if holder is None or not is_signed_with(holder.secret, signature, signed):
            return "the token's signature does not fit"
        if (ended := _session_problem(holder, signature, self.context.now_s)) is not None:
            return ended
        limited = replace(signature, expires_s=min(signature.expires_s or 0, TOKEN_S))
        late = time_problem(limited, self.context.now_s, real_wall_s())
        if late is not None:
            return f"the token is not valid now: {late}"
        resource = (
            f"arn:aws:rds-db:{endpoint.region}:{self.context.account}:"
            f"dbuser:{endpoint.resource_id}/{user}"
        )
        asked = (holder.arn, resource, endpoint.region, signature.key_id)
        if holder.provisioner or self.authorizer.may_connect(*asked):
            return None
        return f"{holder.arn} may not rds-db:connect on {resource}"


def _session_problem(holder: Principal, signature: Signature, now_s: float) -> str | None:
    if holder.token is not None and signature.token != holder.token:
        return "the token is of another session"
    if holder.expires_s is not None and now_s >= holder.expires_s:
        return "the session that signed the token has ended"
    return None


async def _startup(reader: asyncio.StreamReader) -> bytes:
    length = struct.unpack("!I", await reader.readexactly(4))[0]
    return await reader.readexactly(length - 4)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind = await reader.readexactly(1)
    length = struct.unpack("!I", await reader.readexactly(4))[0]
    return kind, await reader.readexactly(length - 4)


def _frame(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _refuse(writer: asyncio.StreamWriter, code: str, text: str) -> None:
    body = f"SFATAL\0VFATAL\0C{code}\0M{text}\0\0".encode()
    writer.write(_frame(b"E", body))


async def _splice(stream_pair: StreamPair, other: StreamPair) -> None:
    """Copy bytes both ways within one Region, until either end closes."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()

    tasks = [
        asyncio.create_task(carry(stream_pair[0], other[1])),
        asyncio.create_task(carry(other[0], stream_pair[1])),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
