"""Failover records, the names they are compared by, and the health checks that control them."""

import re

from otherside.check.model.graph import Graph, Link, Resource
from otherside.check.model.values import Ref, Unknown

_HOLE = re.compile(r"<[^>]*>")


def failover_records(graph: Graph, side: str) -> list[Resource]:
    """Return the failover records of one side, `PRIMARY` or `SECONDARY`."""

    def look() -> list[Resource]:
        records = graph.of("route53.record")
        return [record for record in records if record["failover_routing_policy.type"] == side]

    return graph.memoize(f"failover_records {side}", look)


def name_of(graph: Graph, record: Resource) -> str:
    """Return a record's name in the form in which DNS compares it; empty if nothing is known.

    What is not known of it stands as the reference that it is: `api.<data.aws_route53_zone.x>`.
    A name that does not end with its zone's is relative to it, as the provider takes it.
    """
    name = record["name"]
    if isinstance(name, Unknown):
        pieces = name.text or name.refs
        return "".join(_piece(piece) for piece in pieces) if name.refs else ""
    if not isinstance(name, str):
        return ""
    plain = name.rstrip(".").lower()
    zone = graph.link(record, "zone_id", "route53.zone")
    domain = zone.resource["name"] if zone is not None else None
    if record.dialect != "cloudformation" and isinstance(domain, str):
        suffix = domain.rstrip(".").lower()
        if plain and plain != suffix and not plain.endswith(f".{suffix}"):
            return f"{plain}.{suffix}"
        return plain or suffix
    return plain


def failover_records_by_name(graph: Graph, side: str) -> dict[str, list[Resource]]:
    """Return the failover records of a side by their names, made once for all records."""

    def index() -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for record in failover_records(graph, side):
            found.setdefault(name_of(graph, record), []).append(record)
        return found

    return graph.memoize(f"failover records by name {side}", index)


def _piece(piece: str | Ref) -> str:
    return piece.lower() if isinstance(piece, str) else f"<{piece.target}.{piece.attribute}>"


def may_be_same_name(name: str, other: str) -> bool:
    """Return whether two different names may be one when all of both is known."""
    return not name or not other or _HOLE.findall(name) != _HOLE.findall(other)


def in_other_zone(graph: Graph, record: Resource, other: Resource) -> bool:
    """Return whether two records are known to be in different hosted zones."""
    zones = [_zone(graph, item) for item in (record, other)]
    return None not in zones and zones[0] != zones[1]


def _zone(graph: Graph, record: Resource) -> str | None:
    link = graph.link(record, "zone_id", "route53.zone")
    if link is not None:
        return link.resource.id
    return record["zone_id"] if isinstance(record["zone_id"], str) else None


_ALIASES_MAX = 10


def aliased(graph: Graph, record: Resource) -> list[Resource]:
    """Return a record and those that its alias leads to, one by one, while each leads to one."""
    found = [record]
    while len(found) <= _ALIASES_MAX:
        links = graph.links(found[-1], found[-1]["alias.name"], "route53.record")
        if len(links) != 1 or links[0].resource in found:
            break
        found.append(links[0].resource)
    return found


def balancer_of(graph: Graph, record: Resource) -> Link | None:
    """Return the load balancer that a record leads to, by aliases or as a CNAME.

    `None` if it leads to one record of several with the same name: each has its own.
    """
    *_, last = aliased(graph, record)
    if last is not record and last["set_identifier"] is not None:
        return None
    record = last
    link = graph.link(record, "alias.name", "lb.load_balancer")
    if link is None and record["type"] == "CNAME":
        links = graph.links(record, record["records"], "lb.load_balancer")
        link = links[0] if links else None
    return link


def check_tree(graph: Graph, check: Resource) -> list[Resource]:
    """Return a health check and every check that it is calculated from, at any depth."""
    found, todo = {check.id: check}, [check]
    while todo:
        parent = todo.pop()
        for link in graph.links(parent, parent["child_healthchecks"], "route53.health_check"):
            if link.resource.id not in found:
                found[link.resource.id] = link.resource
                todo.append(link.resource)
    return list(found.values())


def decides(graph: Graph, check: Resource) -> bool:
    """Return whether a health check controls DNS failover, directly or as a child check."""

    def look() -> set[str]:
        found = set()
        for record in failover_records(graph, "PRIMARY"):
            link = graph.link(record, "health_check_id", "route53.health_check")
            if link is not None:
                found |= {item.id for item in check_tree(graph, link.resource)}
        return found

    return check.id in graph.memoize("decides", look)
