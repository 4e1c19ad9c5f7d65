"""Failover records and the health checks that control them."""

from otherside.check.model.graph import Graph, Resource


def failover_records(graph: Graph, side: str) -> list[Resource]:
    """Return the failover records of one side, `PRIMARY` or `SECONDARY`."""

    def look() -> list[Resource]:
        records = graph.of("route53.record")
        return [record for record in records if record["failover_routing_policy.type"] == side]

    return graph.memoize(f"failover_records {side}", look)


def decides(graph: Graph, check: Resource) -> bool:
    """Return whether a health check controls DNS failover, directly or as a child check."""

    def look() -> set[str]:
        found = set()
        for record in failover_records(graph, "PRIMARY"):
            link = graph.link(record, "health_check_id", "route53.health_check")
            if link is not None:
                children = graph.links(link.resource, link.resource["child_healthchecks"])
                found |= {link.resource.id, *(child.resource.id for child in children)}
        return found

    return check.id in graph.memoize("decides", look)
