"""A cross-Region VPC peering is never accepted, or lacks a return route.

## Why
A peering across Regions or accounts stays in `pending-acceptance` until the other side accepts it,
and carries no traffic without a route on each side; a peering of transit gateways always waits for
its accepter. After a failover, the application in one Region
must reach the writer in the other; without acceptance and routes, it cannot.

## Fix
Accept the peering in the other Region, and add routes to it in the private and database route
tables on both sides.

```python
accepter = aws.ec2.VpcPeeringConnectionAccepter("standby", vpc_peering_connection_id=peering.id,
    auto_accept=True, opts=pulumi.ResourceOptions(provider=standby))
aws.ec2.Route("there", route_table_id=primary_table.id, destination_cidr_block="10.1.0.0/16",
    vpc_peering_connection_id=accepter.id, opts=pulumi.ResourceOptions(provider=primary))
aws.ec2.Route("back", route_table_id=standby_table.id, destination_cidr_block="10.0.0.0/16",
    vpc_peering_connection_id=accepter.id, opts=pulumi.ResourceOptions(provider=standby))
```

```hcl
resource "aws_vpc_peering_connection_accepter" "standby" {
  provider                  = aws.standby
  vpc_peering_connection_id = aws_vpc_peering_connection.this.id
  auto_accept               = true
}
resource "aws_route" "back" {
  provider                  = aws.standby
  route_table_id            = aws_route_table.standby.id
  destination_cidr_block    = aws_vpc.primary.cidr_block
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.standby.id
}
```

```yaml
ReturnRoute:
  Type: AWS::EC2::Route
  Properties:
    RouteTableId: !Ref StandbyRouteTable
    DestinationCidrBlock: 10.0.0.0/16
    VpcPeeringConnectionId: !Ref PeeringConnectionId
```

## Impact
RTO: the surviving application cannot reach the writer; recovery waits for a network change.
RPO: no direct effect: Aurora replicates over its own network.

## See
- https://docs.aws.amazon.com/vpc/latest/peering/create-vpc-peering-connection.html
- https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html
"""

import ipaddress
from collections.abc import Callable, Iterator

from otherside.check.analysis.peered_vpcs import only_vpc_there, routes_by_an_unknown_peering
from otherside.check.analysis.transit_gateways import unrouted
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule


@rule(
    "DR004",
    severity=Severity.HIGH,
    on=("ec2.peering", "ec2.transit_gateway_peering"),
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(C)", "NIST CP-8", "NIST CP-10"),
    lacking=True,
)
def incomplete_vpc_peering(graph: Graph, peering: Resource) -> Iterator[str | RuleHit]:
    if peering.kind == "ec2.transit_gateway_peering":
        yield from _transit(graph, peering)
        return
    path = "vpc_peering_connection_id"
    accepters = graph.users(peering, "ec2.peering_accepter", path, anywhere=True)
    if peering["peer_region"] is not None or peering["peer_owner_id"] is not None:
        yield from _acceptance(peering, accepters)
    vpcs = {path: graph.link(peering, path, "ec2.vpc") for path in ("vpc_id", "peer_vpc_id")}
    near, far = (link.resource if link is not None else None for link in vpcs.values())
    yield from _unnamed_region(peering, far)
    if far is None and (far := only_vpc_there(graph, peering)) is not None:
        ways = _ways(graph.known_users, peering, accepters)
        ways += routes_by_an_unknown_peering(graph, far)
    else:
        ways = _ways(graph.users, peering, accepters)
    for side, vpc in (("requesting", near), ("accepting", far)):
        if vpc is not None:
            yield from _routes(graph, vpc, ways, side)
    if near is not None and far is not None:
        for here, there in ((near, far), (far, near)):
            for text in _ranges(graph, ways, here, there):
                yield RuleHit(peering, text, present=True)


def _unnamed_region(peering: Resource, far: Resource | None) -> Iterator[RuleHit]:
    home, away = peering.region, far.region if far is not None else None
    if peering["peer_region"] is None and home and away and home != away:
        text = f"it names no peer Region, so AWS looks for the VPC in {home}, and it is in {away}"
        yield RuleHit(peering, text, present=True)


def _transit(graph: Graph, peering: Resource) -> Iterator[str]:
    """Find a peering of transit gateways that nobody accepts: AWS always asks the other side.

    https://docs.aws.amazon.com/vpc/latest/tgw/tgw-peering-accept-reject.html
    """
    path = "transit_gateway_attachment_id"
    accepters = graph.users(peering, "ec2.transit_gateway_peering_accepter", path, anywhere=True)
    if accepters:
        yield from unrouted(graph, peering, accepters)
        return
    if peering.dialect == "cloudformation":
        msg = "CloudFormation cannot accept it, and what does was not read"
        raise Unresolved(msg)
    yield "nobody accepts it: it stays in pendingAcceptance"


def _ways(
    users: Callable[[Resource, str, str], list[Resource]],
    peering: Resource,
    accepters: list[Resource],
) -> list[Resource]:
    return [
        route
        for accepter in (peering, *accepters)
        for route in users(accepter, "ec2.route", "vpc_peering_connection_id")
    ]


def _ranges(graph: Graph, ways: list[Resource], vpc: Resource, far: Resource) -> Iterator[str]:
    """Find routes of a VPC that lead through the peering to a range the other VPC does not have."""
    for way in ways:
        table = graph.link(way, "route_table_id", "ec2.route_table")
        owner = graph.link(table.resource, "vpc_id", "ec2.vpc") if table is not None else None
        if owner is None or owner.resource is not vpc:
            continue
        targets = _destinations(graph, way)
        beyond = _network(far.known("cidr_block"))
        if beyond is None or any(target.overlaps(beyond) for target in targets):
            continue
        more = graph.users(far, "ec2.vpc_cidr", "vpc_id")
        strange = [
            target
            for target in targets
            if not any(_may_be_in(target, each.known("cidr_block")) for each in more)
        ]
        if strange:
            yield f"{way.label} leads {strange[0]} to it, and the other side has {beyond}"


def _destinations(graph: Graph, way: Resource) -> list[ipaddress.IPv4Network]:
    """Return the ranges that a route is for, its own or those of a prefix list."""
    listed = graph.link(way, "destination_prefix_list_id", "ec2.prefix_list")
    entries = (listed.resource.known("entry") or []) if listed is not None else []
    texts = [way.known("destination_cidr_block"), *(entry.get("cidr") for entry in entries)]
    return [network for network in map(_network, texts) if network is not None]


def _may_be_in(target: ipaddress.IPv4Network, range_: object) -> bool:
    """Return whether a range holds some of a target, or cannot be read."""
    network = _network(range_)
    return network is None or target.overlaps(network)


def _network(text: object) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None


def _acceptance(peering: Resource, accepters: list[Resource]) -> Iterator[str]:
    far = peering["peer_region"]
    alone = isinstance(far, str) and far != peering.region
    if not accepters and (alone or peering.known("auto_accept") is not True):
        yield "nobody accepts it: it stays in pending-acceptance"
    for accepter in accepters:
        if accepter.known("auto_accept") is not True:
            yield f"its accepter {accepter.label} does not accept by itself (auto_accept)"
        if isinstance(far, str) and accepter.region not in {None, far}:
            yield f"its accepter {accepter.label} is in {accepter.region}, and the other side in {far}"


def _routes(graph: Graph, vpc: Resource, ways: list[Resource], side: str) -> Iterator[str]:
    tables = graph.users(vpc, "ec2.route_table", "vpc_id")
    if not tables and not graph.users(vpc, "ec2.default_route_table", "default_route_table_id"):
        return
    routed = {
        link.resource.id
        for route in ways
        if (link := graph.link(route, "route_table_id", "ec2.route_table"))
    }
    idle = _attached_to_nothing(graph, tables)
    if tables and routed & idle and not routed & {table.id for table in tables} - idle:
        yield f"the {side} side's route to it is in a table that no subnet uses ({vpc.label})"
        return
    if not routed & {table.id for table in tables}:
        if any(_is_main_table_of(graph, way, vpc) for way in ways):
            return
        for way in ways:
            _require_known_table(graph, way)
        for table in tables:
            for route in graph.known_users(table, "ec2.route", "route_table_id"):
                _require_known_way(graph, route)
        yield f"no route of the {side} side leads to it ({vpc.label})"
        return
    for table in tables:
        if table.id not in routed and _holds_database(graph, table):
            yield f"the database's route table {table.label} has no route to it"


def _attached_to_nothing(graph: Graph, tables: list[Resource]) -> set[str]:
    """Return the tables that no subnet uses, if it is told of any table which subnets use it."""
    kinds = (
        ("ec2.route_table_association", "route_table_id"),
        ("ec2.main_association", "route_table_id"),
    )
    used = {
        table.id
        for table in tables
        if any(graph.known_users(table, kind, path) for kind, path in kinds)
    }
    return {table.id for table in tables} - used if used else set()


def _is_main_table_of(graph: Graph, route: Resource, vpc: Resource) -> bool:
    """Return whether a route is in a VPC's main table, which no resource makes."""
    link = graph.link(route, "route_table_id", "ec2.vpc", "ec2.default_route_table")
    if link is not None and link.resource.kind == "ec2.default_route_table":
        link = graph.link(link.resource, "default_route_table_id", "ec2.vpc")
    return link is not None and link.resource is vpc


def _require_known_table(graph: Graph, route: Resource) -> None:
    """Raise `Unresolved` for a route in a table that cannot be told: it may be the one wanted."""
    path = "route_table_id"
    link = graph.link(route, path)
    if link is None:
        route.known(path)
    elif link.resource.kind.startswith("data."):
        raise Unresolved(route.undecided_because(path, f"what {link.resource.label} finds"))


def _require_known_way(graph: Graph, route: Resource) -> None:
    """Raise `Unresolved` for a route through a peering that cannot be told: it may be this one."""
    path = "vpc_peering_connection_id"
    if route[path] is not None and graph.link(route, path) is None:
        raise Unresolved(route.undecided_because(path, "not known, and may be this one"))


def _holds_database(graph: Graph, table: Resource) -> bool:
    """Return whether a route table serves database subnets: it has no other route out."""
    named = table.name.lower()
    routes = graph.users(table, "ec2.route", "route_table_id")
    inward = not any(
        route["gateway_id"] is not None or route["nat_gateway_id"] is not None for route in routes
    )
    return inward and any(word in named for word in ("db", "data", "rds"))
