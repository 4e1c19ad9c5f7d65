"""Network reachability: route tables, peering, security groups, and the state of the Regions.

Every decision reads the EC2 resources that the stack deployed, at the time of the connection.
https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.partitions import OUTSIDE

HTTPS = 443
ANY = "0.0.0.0"  # noqa: S104 - stands for any address of AWS
ANSWERED_AT = (32_768, 60_999)
"""First and last port of Linux's ephemeral range, where responses arrive."""
INTERNET = "203.0.113.1"
"""An address outside every network, from a range reserved for documentation."""
Local = tuple[str, int]
"""A real listening address on this machine."""


class Reach(StrEnum):
    """Result of an attempt to connect."""

    OPEN = "open"
    REFUSED = "refused"
    """The host exists, but does not listen on the port."""
    TIMEOUT = "timeout"
    """Packets are dropped: by a security group, by a route, or because the Region is lost."""


@dataclass(slots=True, kw_only=True)
class Interface:
    """A network interface: of an instance, a database or a load balancer's node."""

    name: str
    region: str
    subnet: str
    address: str
    """Its private address."""
    groups: tuple[str, ...]
    ports: dict[int, Local] = field(default_factory=dict)
    """The real address of each of its ports."""
    public: str = ""
    """The loopback address that represents its public address, if it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The connecting side: an interface, a function of a Region, or a client outside."""

    name: str
    region: str
    """A Region, or `outside`."""
    interface: Interface | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectResult:
    """Whether a connection succeeds, and if not, why."""

    reach: Reach
    why: str = ""
    local: Local | None = None
    region: str = ""
    """The Region of the other end."""


@dataclass(slots=True)
class Reachability:
    """All interfaces, and the decision on each connection."""

    context: TwinContext
    endpoints: Mapping[str, Local]
    """The API's address as seen from each Region."""
    _interfaces: dict[str, Interface] = field(default_factory=dict)

    def add(self, interface: Interface) -> None:
        """Add an interface; private addresses are unique across networks."""
        self._interfaces[interface.name] = interface

    def remove(self, name: str) -> None:
        """Remove an interface."""
        self._interfaces.pop(name, None)

    def interfaces(self) -> Iterable[Interface]:
        """Return every interface."""
        return list(self._interfaces.values())

    def decide(self, source: Source, address: str, port: int) -> ConnectResult:
        """Return the result of connecting to an address and a port."""
        if address in {local[0] for local in self.endpoints.values()}:
            return self._to_api(source, address)
        for interface in self._interfaces.values():
            if interface.public and interface.public == address:
                return self._to_public(source, interface, port)
            if interface.address == address and not interface.public:
                return self._to_private(source, interface, port)
        return ConnectResult(reach=Reach.TIMEOUT, why=f"no interface has {address}")

    def between(self, source: Interface, target: Interface, port: int) -> ConnectResult:
        """Return the result of one interface connecting to another."""
        whom = Source(name=source.name, region=source.region, interface=source)
        return self._to_private(whom, target, port)

    # --- the three kinds of target --------------------------------------------------------------

    def _to_api(self, source: Source, address: str) -> ConnectResult:
        """Connect to a public AWS endpoint, or to a private one in the subnet's own network."""
        local = next(endpoint for endpoint in self.endpoints.values() if endpoint[0] == address)
        if source.interface is not None:
            if not self._lets_out(source.interface, ANY, HTTPS):
                return ConnectResult(reach=Reach.TIMEOUT, why="no security group allows 443 out")
            if not (self._internet(source.interface) or self._private_endpoints(source.interface)):
                return ConnectResult(reach=Reach.TIMEOUT, why="no route to AWS")
        return ConnectResult(reach=Reach.OPEN, local=local, region=source.region)

    def _to_public(self, source: Source, target: Interface, port: int) -> ConnectResult:
        if not self._stands_between(source.region, target.region):
            return ConnectResult(reach=Reach.TIMEOUT, why=f"{target.region} cannot be reached")
        if source.interface is not None:
            if not self._internet(source.interface):
                return ConnectResult(reach=Reach.TIMEOUT, why="no route to the internet")
            if not self._lets_out(source.interface, INTERNET, port):
                return ConnectResult(
                    reach=Reach.TIMEOUT, why=f"no security group allows {port} out"
                )
        if not self._lets_in(target, INTERNET, (), port):
            return ConnectResult(
                reach=Reach.TIMEOUT, why=f"{target.name}: no security group allows {port} in"
            )
        return self._listening(target, port)

    def _to_private(self, source: Source, target: Interface, port: int) -> ConnectResult:
        from_ = source.interface
        if from_ is None:
            return ConnectResult(reach=Reach.TIMEOUT, why=f"{target.name} has no public address")
        if not self._stands_between(from_.region, target.region):
            return ConnectResult(reach=Reach.TIMEOUT, why=f"{target.region} cannot be reached")
        why = self._no_way(from_, target) or self._no_way(target, from_)
        if why:
            return ConnectResult(reach=Reach.TIMEOUT, why=why)
        if from_.subnet != target.subnet:  # network ACLs apply at a subnet's edge
            stopped = self._stopped(from_, target, port)
            if stopped:
                return ConnectResult(reach=Reach.TIMEOUT, why=stopped)
        here, there = self._vpc(from_), self._vpc(target)
        same = here == there
        theirs = target.groups if same else ()
        if not self._lets_out(from_, target.address, port, theirs):
            return ConnectResult(
                reach=Reach.TIMEOUT, why=f"{from_.name}: no security group allows {port} out"
            )
        if not self._lets_in(target, from_.address, from_.groups if same else (), port):
            return ConnectResult(
                reach=Reach.TIMEOUT, why=f"{target.name}: no security group allows {port} in"
            )
        return self._listening(target, port)

    def _listening(self, target: Interface, port: int) -> ConnectResult:
        local = target.ports.get(port)
        if local is None:
            return ConnectResult(
                reach=Reach.REFUSED, why=f"{target.name} does not listen on {port}"
            )
        return ConnectResult(reach=Reach.OPEN, local=local, region=target.region)

    def _stands_between(self, source: str, target: str) -> bool:
        partitions = self.context.partitions
        # A health checker may be in a Region that the twin lacks, which counts as outside.
        return partitions.converse(source if source in self.context.regions else OUTSIDE, target)

    # --- routes ---------------------------------------------------------------------------------

    def _no_way(self, source: Interface, target: Interface) -> str | None:
        """Return why traffic from one interface does not arrive at another, or `None`."""
        if self._vpc(source) == self._vpc(target):
            return None
        route = self._route(source, target.address)
        if route is None:
            return f"{source.name} has no route to {target.address}"
        peering = getattr(route, "vpc_pcx", None)
        if peering is None:
            return f"{source.name} has no peering route to {target.address}"
        status = peering._status.code  # noqa: SLF001 - moto exposes it nowhere else
        if status != "active":
            return f"{peering.id} is {status}"
        ends = {peering.vpc.id, peering.peer_vpc.id}
        if ends != {self._vpc(source), self._vpc(target)}:
            return f"{peering.id} does not lead to {target.name}"
        return None

    def _route(self, source: Interface, address: str) -> Any:  # noqa: ANN401 - moto's own
        """Return the most specific route of a subnet's table to an address."""
        wanted = ipaddress.ip_address(address)
        found, length = None, -1
        for route in self._table(source).routes:
            cidr = route.destination_cidr_block
            if not cidr:
                continue
            network = ipaddress.ip_network(cidr)
            if wanted in network and network.prefixlen > length:
                found, length = route, network.prefixlen
        return found

    def _table(self, source: Interface) -> Any:  # noqa: ANN401 - moto's own
        backend = self._ec2(source.region)
        tables = list(backend.route_tables.values())
        for table in tables:
            if source.subnet in table._associations.values():  # noqa: SLF001 - moto exposes it in no other form
                return table
        vpc = self._vpc(source)
        return next(table for table in tables if table.vpc_id == vpc and table.main_association_id)

    def _internet(self, source: Interface) -> bool:
        """Return whether a subnet reaches the internet, by an internet or a NAT gateway."""
        route = self._route(source, INTERNET)
        if route is None:
            return False
        gateway, nat = getattr(route, "gateway", None), getattr(route, "nat_gateway", None)
        if nat is not None:
            return getattr(nat, "state", "available") == "available"
        return gateway is not None and str(getattr(gateway, "id", "")).startswith("igw-")

    def _private_endpoints(self, source: Interface) -> bool:
        backend, vpc = self._ec2(source.region), self._vpc(source)
        return any(vpc_end_point.vpc_id == vpc for vpc_end_point in backend.vpc_end_points.values())

    # --- network ACLs ---------------------------------------------------------------------------

    def _stopped(self, source: Interface, target: Interface, port: int) -> str | None:
        """Return which network ACL blocks a connection, in either direction (stateless), or `None`.

        https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
        """
        ways = (
            (source, True, target.address, (port,)),
            (target, False, source.address, (port,)),
            (target, True, source.address, ANSWERED_AT),
            (source, False, target.address, ANSWERED_AT),
        )
        for interface, outward, address, ports in ways:
            for other_port in ports:
                acl = self._acl(interface)
                if acl is not None and not _acl_lets(acl, address, other_port, outward=outward):
                    way = "out" if outward else "in"
                    return f"{acl.id} of {interface.subnet} does not allow {other_port} {way}"
        return None

    def _acl(self, interface: Interface) -> Any:  # noqa: ANN401 - moto's own
        for acl in self._ec2(interface.region).network_acls.values():
            if any(association.subnet_id == interface.subnet for association in acl.associations):
                return acl
        return None

    # --- security groups ------------------------------------------------------------------------

    def _lets_out(
        self, source: Interface, address: str, port: int, groups: tuple[str, ...] = ()
    ) -> bool:
        return any(
            _matches(rule, address, groups, port)
            for group in self._groups(source)
            for rule in group.egress_rules
        )

    def _lets_in(self, target: Interface, address: str, groups: tuple[str, ...], port: int) -> bool:
        return any(
            _matches(rule, address, groups, port)
            for group in self._groups(target)
            for rule in group.ingress_rules
        )

    def _groups(self, interface: Interface) -> list[Any]:
        backend = self._ec2(interface.region)
        found = [backend.get_security_group_from_id(group) for group in interface.groups]
        return [item for item in found if item is not None]

    def _vpc(self, interface: Interface) -> str:
        subnet = self._ec2(interface.region).get_subnet(interface.subnet)
        return str(subnet.vpc_id)

    def _ec2(self, region: str) -> Any:  # noqa: ANN401 - moto's own
        return moto_backend.ec2(self.context.account, region)


def _acl_lets(acl: Any, address: str, port: int, *, outward: bool) -> bool:  # noqa: ANN401 - moto's own
    """Return whether the first ACL entry that matches a packet allows it; the default is deny."""
    wanted = ipaddress.ip_address(address)
    for entry in sorted(acl.network_acl_entries, key=lambda entry: int(entry.rule_number)):
        if (str(entry.egress).lower() == "true") is not outward or not entry.cidr_block:
            continue
        if str(entry.protocol) not in {"-1", "6", "tcp"}:
            continue
        low, high = entry.port_range_from, entry.port_range_to
        every = str(entry.protocol) == "-1" or low is None
        if wanted in ipaddress.ip_network(entry.cidr_block) and (
            every or int(low) <= port <= int(high)
        ):
            return str(entry.rule_action) == "allow"
    return False


def _matches(rule: Any, address: str, groups: tuple[str, ...], port: int) -> bool:  # noqa: ANN401 - moto's own
    """Return whether a security group's rule covers a TCP port of an address or of a group."""
    if str(rule.ip_protocol) not in {"-1", "tcp", "6"}:
        return False
    if str(rule.ip_protocol) != "-1" and not _within(rule, port):
        return False
    wanted = ipaddress.ip_address(address)
    cidr = rule.ip_range.get("CidrIp")
    if cidr:
        return address == ANY or wanted in ipaddress.ip_network(cidr)
    return rule.source_group.get("GroupId") in groups


def _within(rule: Any, port: int) -> bool:  # noqa: ANN401 - moto's own
    low, high = rule.from_port, rule.to_port
    if low is None or int(low) == -1:
        return True
    return int(low) <= port <= int(high)
