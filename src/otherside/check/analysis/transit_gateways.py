"""Routes of transit gateways and of the VPCs behind them; a peering propagates none.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-peering-add-route.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Unresolved

_ROUTES = ("ec2.transit_gateway_route", "ec2.transit_gateway_prefix_list")
"""What sends a gateway's traffic to an attachment, by a range or by a prefix list."""
_ATTACHMENTS = (
    *("ec2.transit_gateway_attachment", "ec2.transit_gateway_peering"),
    "ec2.transit_gateway_peering_accepter",
)
_UNTOLD = "not known, and may be this one"


def unrouted(graph: Graph, peering: Resource, accepters: list[Resource]) -> Iterator[str]:
    """Find a side of an accepted peering whose gateway, or whose VPC, has no route to the other.

    Raises:
        Unresolved: If a route is known only at deployment and may be the one that is missing.
    """
    there = {route.region for route in _gateway_routes(graph, (peering, *accepters))}
    for region in (peering.region, peering["peer_region"]):
        if isinstance(region, str) and region not in there and None not in there:
            yield f"no route of the transit gateway in {region} leads to it"
    for path in ("transit_gateway_id", "peer_transit_gateway_id"):
        gateway = graph.link(peering, path, "ec2.transit_gateway")
        if gateway is not None:
            yield from _vpcs_without(graph, gateway.resource)


def _gateway_routes(graph: Graph, attachments: tuple[Resource, ...]) -> list[Resource]:
    path = "transit_gateway_attachment_id"
    for kind in _ROUTES:
        graph.require_told(kind, path, *_ATTACHMENTS)
    return [
        route
        for item in attachments
        for kind in _ROUTES
        for route in graph.known_users(item, kind, path)
    ]


def _vpcs_without(graph: Graph, gateway: Resource) -> Iterator[str]:
    """Find VPCs that are attached to a gateway, and of whose route tables none leads to it."""
    path = "transit_gateway_id"
    for attachment in graph.known_users(gateway, "ec2.transit_gateway_attachment", path):
        link = graph.link(attachment, "vpc_id", "ec2.vpc")
        tables = graph.known_users(link.resource, "ec2.route_table", "vpc_id") if link else []
        if link is None or not tables:
            continue
        routes = [
            route
            for table in tables
            for route in graph.known_users(table, "ec2.route", "route_table_id")
        ]
        routes += _loose(graph, link.resource)
        if not _any_leads_to(graph, routes, gateway):
            yield f"no route table of {link.resource.label} leads to {gateway.label}"


def _loose(graph: Graph, vpc: Resource) -> list[Resource]:
    """Return the routes of a VPC's Region whose table is not one of those read."""
    return [
        route
        for route in graph.of("ec2.route", region=vpc.region)
        if graph.link(route, "route_table_id", "ec2.route_table") is None
    ]


def _any_leads_to(graph: Graph, routes: list[Resource], gateway: Resource) -> bool:
    path = "transit_gateway_id"
    links = [(route, graph.link(route, path, "ec2.transit_gateway")) for route in routes]
    if any(link is not None and link.resource is gateway for _, link in links):
        return True
    for route, link in links:
        if link is None and isinstance(route[path], Unknown):
            raise Unresolved(route.undecided_because(path, _UNTOLD))
    return False
