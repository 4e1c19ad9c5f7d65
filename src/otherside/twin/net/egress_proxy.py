"""Proxy for every connection of a guest: it identifies the guest and lets the network decide.

A guest sends its request as one line of JSON: resolve a name, connect, open a local port ("door")
for a library that connects by itself, or do something that only its instance's own daemons can do.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from otherside.twin.context import TwinContext
from otherside.twin.json_types import JsonObject
from otherside.twin.net.link import splice
from otherside.twin.net.reachability import Local, Reach, Reachability, Source

METADATA = "169.254.169.254"
CONNECT_S = 127.0
"""A machine's default timeout for a connect that gets no answer."""

StreamPair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Resolve = Callable[[Source, str], list[str]]


@dataclass(slots=True)
class Guest:
    """One function or instance, as the proxy knows it."""

    source: Source
    listening: dict[int, Local] = field(default_factory=dict)
    """The real address of each port that it listens on."""
    ask: Callable[[JsonObject], Awaitable[JsonObject]] | None = None
    """Handles all its other requests: an instance's own daemons."""
    metadata: Callable[[StreamPair], Awaitable[None]] | None = None


@dataclass(slots=True)
class EgressProxy:
    """Serves all guests of one twin."""

    context: TwinContext
    network: Reachability
    resolve: Resolve
    inside: str
    """The source address of all guests' connections."""
    door: Callable[[], Local]
    """The address of the next door, all on one port: a confined guest may connect to that."""
    guests: dict[str, Guest] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _lines: set[asyncio.Task[None]] = field(default_factory=set)

    def admit(self, name: str, guest: Guest) -> str:
        """Register a guest; return the secret name that identifies it."""
        shown = f"{name}/{secrets.token_urlsafe(12)}"
        self.guests[shown] = guest
        return shown

    async def open(self, address: str) -> Local:
        """Start serving; return the address and port."""
        self._server = await asyncio.start_server(self._serve, address, 0)
        port = int(self._server.sockets[0].getsockname()[1])
        return address, port

    async def close(self) -> None:
        """Stop serving, and close every connection."""
        if self._server is not None:
            self._server.close()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            line = await reader.readline()
            if line:
                await self._do(json.loads(line), (reader, writer))
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            _tell(writer, {"error": f"{type(error).__name__}"})
        finally:
            self._lines.discard(task)
            writer.close()

    async def _do(self, wanted: JsonObject, streams: StreamPair) -> None:
        guest = self._guest(wanted["guest"])
        if guest is None:
            _tell(streams[1], {"error": "unreachable"})
        elif "resolve" in wanted:
            await self._resolve(guest, wanted["resolve"], streams)
        elif "connect" in wanted:
            host, port = wanted["connect"]
            await self._connect(guest, host, int(port), wanted.get("wait_s"), streams)
        elif "door" in wanted:
            host, port = wanted["door"]
            await self._door(guest, host, int(port), wanted.get("wait_s"), streams)
        elif "listen" in wanted:
            guest.listening[int(wanted["listen"])] = tuple(wanted["at"])
            if guest.source.interface is not None:
                guest.source.interface.ports[int(wanted["listen"])] = tuple(wanted["at"])
            _tell(streams[1], {})
        elif guest.ask is not None:
            _tell(streams[1], await guest.ask(wanted))
        else:
            _tell(streams[1], {"error": "only an instance can make this request"})

    def _guest(self, name: str) -> Guest | None:
        """Return the guest with this secret name, or `None`."""
        return self.guests.get(name)

    async def _resolve(self, guest: Guest, name: str, streams: StreamPair) -> None:
        try:
            found = self.resolve(guest.source, name)
        except TimeoutError:
            _tell(streams[1], {"error": "timeout"})
            return
        except LookupError:
            _tell(streams[1], {"error": "unknown"})
            return
        _tell(streams[1], {"addresses": found})

    async def _connect(
        self, guest: Guest, host: str, port: int, wait_s: float | None, streams: StreamPair
    ) -> None:
        if host == METADATA and guest.metadata is not None:
            _tell(streams[1], {})
            await guest.metadata(streams)
            return
        opened = await self._open(guest, host, port, wait_s)
        if isinstance(opened, Reach):
            _tell(streams[1], {"error": str(opened)})
            return
        far, region = opened
        _tell(streams[1], {})
        await splice(self.context, streams, far, here=guest.source.region, there=region)

    async def _door(
        self, guest: Guest, host: str, port: int, wait_s: float | None, streams: StreamPair
    ) -> None:
        """Open a local port for one connection, and forward it where the guest may go."""
        opened = await self._open(guest, host, port, wait_s)
        if isinstance(opened, Reach):
            _tell(streams[1], {"error": str(opened)})
            return
        far, region = opened
        near: asyncio.Future[StreamPair] = asyncio.get_running_loop().create_future()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if near.done():
                writer.close()
            else:
                near.set_result((reader, writer))

        server = await asyncio.start_server(accept, *self.door())
        address = server.sockets[0].getsockname()
        _tell(streams[1], {"address": address[0], "port": address[1]})
        streams[1].close()
        try:
            got = await asyncio.wait_for(near, CONNECT_S)
        except TimeoutError:
            far[1].close()
            return
        finally:
            server.close()
        await splice(self.context, got, far, here=guest.source.region, there=region)

    async def _open(
        self, guest: Guest, host: str, port: int, wait_s: float | None
    ) -> tuple[StreamPair, str] | Reach:
        """Return a connection to a guest's target and the target's Region, or why it failed."""
        if host.startswith("127.0.0."):
            local = guest.listening.get(port)
            verdict_region = guest.source.region
            if local is None:
                return Reach.REFUSED
        else:
            verdict = self.network.decide(guest.source, host, port)
            if verdict.reach is not Reach.OPEN or verdict.local is None:
                if verdict.reach is Reach.TIMEOUT:
                    await asyncio.sleep(min(wait_s or CONNECT_S, CONNECT_S))
                return verdict.reach
            local, verdict_region = verdict.local, verdict.region
            path = self.context.partitions.path(guest.source.region, verdict_region)
            await asyncio.sleep(2 * path.delay_s)  # a connection takes one round trip
        try:
            return await asyncio.open_connection(
                *local, local_addr=(self.inside, 0)
            ), verdict_region
        except OSError:
            return Reach.REFUSED


def _tell(writer: asyncio.StreamWriter, answer: JsonObject) -> None:
    with contextlib.suppress(OSError):
        writer.write(json.dumps(answer).encode() + b"\n")
