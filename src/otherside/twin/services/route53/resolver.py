"""The twin's DNS: for guests through their gateway, for other clients on a port of its own.

Route 53's zones answer for the names in them. Names of load balancers, databases and AWS services
get the answers that AWS would give. A resolver caches each answer for its TTL.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.net.reachability import Source
from otherside.twin.partitions import OUTSIDE
from otherside.twin.services.elbv2.load_balancer import LoadBalancers
from otherside.twin.services.route53.health_checks import HealthCheckers
from otherside.twin.services.route53.routing import DnsAnswer, UnknownNameError, Zones, records_of

OUTSIDE_NAMES = {"one.one.one.one": "192.0.2.53", "dns.google": "192.0.2.54"}
"""Names outside the twin that resolve while the internet is reachable; TEST-NET addresses."""
DATABASE_TTL_S = 5
AWS = ".amazonaws.com"

DatabaseAddress = Callable[[str, bool], str | None]
"""Returns a database name's address, seen from outside or not; `None` for any other name."""


@dataclass(slots=True)
class Resolver:
    """Resolves every name."""

    context: TwinContext
    load_balancers: LoadBalancers
    health_checkers: HealthCheckers
    database: DatabaseAddress
    api: Callable[[str], str]
    """The API's address for callers in a Region."""
    delegated: set[str] = field(default_factory=set)
    """Names whose owners delegate them to this twin's zones, for queries from outside."""
    _chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - weights
    _kept: dict[tuple[str, str], tuple[float, list[str]]] = field(default_factory=dict)
    _transports: list[asyncio.BaseTransport] = field(default_factory=list)
    _servers: list[asyncio.Server] = field(default_factory=list)

    def look_up(self, source: Source, name: str) -> list[str]:
        """Return a name's addresses for a guest, through its network's own resolver.

        Raises:
            LookupError: If the name does not exist.
            TimeoutError: If no server answers.
        """
        wanted = name.rstrip(".").lower()
        region = source.region
        if not self.context.partitions.stands(region) and region != OUTSIDE:
            raise TimeoutError(name)
        cached = self._kept.get((region, wanted))
        if cached is not None and self.context.now_s < cached[0]:
            return cached[1]
        found = self.answer(wanted, near=region, outside=False)
        addresses = list(found.values)
        if not addresses:
            raise UnknownNameError(name)
        self._kept[region, wanted] = (self.context.now_s + found.ttl_s, addresses)
        return addresses

    def answer(self, name: str, kind: str = "A", *, near: str, outside: bool) -> DnsAnswer:
        """Resolve a name.

        Raises:
            UnknownNameError: If the name does not exist.
            TimeoutError: If no server can be reached.
        """
        wanted = name.rstrip(".").lower()
        if wanted in OUTSIDE_NAMES:
            if near and not self.context.partitions.converse(near, OUTSIDE):
                raise TimeoutError(name)
            return DnsAnswer(type="A", values=(OUTSIDE_NAMES[wanted],), ttl_s=300)
        database = self.database(wanted, outside)
        if database is not None:
            values = (database,) if database else ()
            return DnsAnswer(type="A", values=values, ttl_s=DATABASE_TTL_S)
        addresses = self.load_balancers.addresses(wanted)
        if addresses is not None:
            return DnsAnswer(type="A", values=tuple(addresses), ttl_s=60)
        try:
            zones = self.zones()
            self._need_delegation(wanted, zones)
            return zones.answer(wanted, kind, near=near, chance=self._chance)
        except UnknownNameError:
            if not wanted.endswith(AWS):
                raise
        return DnsAnswer(type="A", values=(self.api("" if outside else near),), ttl_s=60)

    def _need_delegation(self, name: str, zones: Zones) -> None:
        """Refuse a name whose zone is not delegated: it exists, but no resolver reaches it.

        Raises:
            UnknownNameError: If the zone is not delegated, directly or by a delegated parent.
        """
        apex = max((apex for apex in zones.apexes if _within(name, apex)), key=len, default=None)
        while apex is not None and apex not in self.delegated:
            above = [
                other_apex
                for other_apex in zones.apexes
                if _within(apex, other_apex) and other_apex != apex
            ]
            parent = max(above, key=len, default=None)
            if parent is None or not zones.has(parent, apex, "NS"):
                raise UnknownNameError(name)
            apex = parent

    def zones(self) -> Zones:
        """Return the current zones."""
        held = list(moto_backend.route53(self.context.account).zones.values())
        return Zones(
            records=records_of(held),
            apexes=tuple(str(zone.name).rstrip(".").lower() for zone in held),
            healthy=self.health_checkers.healthy,
            target_healthy=self.load_balancers.healthy,
            target_addresses=self.load_balancers.addresses,
        )

    # --- other clients --------------------------------------------------------------------------

    async def serve(self, address: str, port: int) -> None:
        """Serve DNS over UDP and TCP."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(address, port)
        )
        self._transports.append(transport)
        self._servers.append(await asyncio.start_server(self._stream, address, port))

    async def close(self) -> None:
        """Stop serving."""
        for transport in self._transports:
            transport.close()
        for server in self._servers:
            server.close()

    def reply(self, wire: bytes) -> bytes | None:
        """Return the answer to a DNS query in wire format, or `None` if it is not a query."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        if not query.question:
            response.set_rcode(dns.rcode.FORMERR)
            return bytes(response.to_wire())
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        try:
            found = self.answer(question.name.to_text(), kind, near="", outside=True)
        except UnknownNameError:
            response.set_rcode(dns.rcode.NXDOMAIN)
        except (TimeoutError, LookupError, ValueError):
            response.set_rcode(dns.rcode.SERVFAIL)
        else:
            if found.values and found.type == kind:
                rows = [str(value) for value in found.values]
                made = dns.rrset.from_text(question.name, found.ttl_s, "IN", found.type, *rows)
                response.answer.append(made)
        return bytes(response.to_wire(max_size=65_535))

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2), "big")
                answer = self.reply(await reader.readexactly(length))
                if answer is None:
                    return
                writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


def _within(name: str, apex: str) -> bool:
    return name == apex or name.endswith(f".{apex}")


class _Datagrams(asyncio.DatagramProtocol):
    """DNS queries over UDP, one per packet."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport for the answers."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query."""
        answer = self._resolver.reply(data)
        if answer is not None:
            cast("asyncio.DatagramTransport", self._transport).sendto(answer, addr)
