"""Whose the other side of a peering is, where templates of two Regions cannot say it.

A CloudFormation template has no way to refer to a resource of another Region: each side is told the
other's identifiers by a parameter, or has them written out.
"""

from otherside.check.model.graph import Graph, Resource


def only_vpc_there(graph: Graph, peering: Resource) -> Resource | None:
    """Return the VPC that a peering whose other side is an identifier can only mean, or `None`.

    There is one peering in the system, and one VPC in the Region that it names, of its own account.
    """
    there = peering["peer_region"]
    told = peering["peer_vpc_id"] is not None and peering["peer_owner_id"] is None
    if not told or not isinstance(there, str) or len(graph.of("ec2.peering")) != 1:
        return None
    vpcs = graph.of("ec2.vpc", region=there)
    return vpcs[0] if len(vpcs) == 1 and not graph.unplaced() else None


def routes_by_an_unknown_peering(graph: Graph, vpc: Resource) -> list[Resource]:
    """Return the routes of a VPC's Region by a peering that an identifier tells: the only one."""
    return [
        route
        for route in graph.of("ec2.route", region=vpc.region)
        if route["vpc_peering_connection_id"] is not None
        and graph.link(route, "vpc_peering_connection_id") is None
    ]
