"""Route 53 health checks: what they probe, and how fast they detect a failure."""

from otherside.check.model.graph import Graph, Resource

_INTERVAL_S, _THRESHOLD = 30, 3
"""Route 53's defaults."""


def detection_s(check: Resource) -> int:
    """Return how many seconds a check takes to become unhealthy."""
    interval = check.known("request_interval") or _INTERVAL_S
    threshold = check.known("failure_threshold") or _THRESHOLD
    return int(interval) * int(threshold)


def asked(graph: Graph, check: Resource) -> list[Resource]:
    """Return the load balancers a check probes, found by its name or by the records that use it."""
    named = graph.links(check, check["fqdn"], "lb.load_balancer")
    if named:
        return [link.resource for link in named]
    fqdn = check["fqdn"]
    found = []
    for record in graph.of("route53.record"):
        link = graph.link(record, "alias.name", "lb.load_balancer")
        if link is None:
            continue
        used = graph.link(record, "health_check_id", "route53.health_check")
        same = isinstance(fqdn, str) and record["name"] == fqdn
        if same or (used is not None and used.resource is check and fqdn is None):
            found.append(link.resource)
    return found
