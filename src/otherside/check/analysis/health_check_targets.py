"""Route 53 health checks: what they probe, and how fast they detect a failure."""

from otherside.check.model.graph import Graph, Link, Resource
from otherside.check.model.values import Unknown

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
    by_record = {
        link.resource.id
        for link in graph.links(check, fqdn, "route53.record")
        if link.attribute in {"fqdn", "name"}
    }
    found = []
    for record in graph.of("route53.record"):
        link = graph.link(record, "alias.name", "lb.load_balancer") or _by_cname(graph, record)
        if link is None:
            continue
        used = graph.link(record, "health_check_id", "route53.health_check")
        same = record.id in by_record or (
            isinstance(fqdn, str) and fqdn.rstrip(".").lower() in _names_of(graph, record)
        )
        if same or (used is not None and used.resource is check and fqdn is None):
            found.append(link.resource)
    return found


def request_of(graph: Graph, check: Resource, balancer: Resource) -> tuple[str | None, str | None]:
    """Return the host and the path that a check asks for, as far as they are known."""
    host, path = check["fqdn"], check["resource_path"]
    if not isinstance(host, str):
        links = graph.links(check, host, "lb.load_balancer")
        own = bool(links) and links[0].resource is balancer and isinstance(host, Unknown)
        host = "a.elb.amazonaws.com" if own and host.whole is not None else None
    named = path.partition("?")[0] if isinstance(path, str) else None
    return host, named or ("/" if path is None else None)


def asked_machines(graph: Graph, check: Resource) -> list[Resource]:
    """Return the instances that a check probes by themselves, by name or by address."""
    named = [
        link.resource
        for path in ("fqdn", "ip_address")
        for link in graph.links(check, check[path], "ec2.instance", "ec2.eip")
    ]
    return [machine for each in named for machine in _machines(graph, each)]


def _machines(graph: Graph, named: Resource) -> list[Resource]:
    """Return an instance, or the one that an address belongs to."""
    if named.kind == "ec2.instance":
        return [named]
    links = [graph.link(named, "instance", "ec2.instance")]
    links += [
        graph.link(association, "instance_id", "ec2.instance")
        for association in graph.known_users(named, "ec2.eip_association", "allocation_id")
    ]
    return [link.resource for link in links if link is not None]


def _names_of(graph: Graph, record: Resource) -> set[str]:
    """Return a record's name, and what it is if it is written within its zone."""
    name = record["name"]
    if not isinstance(name, str):
        return set()
    plain = name.rstrip(".").lower()
    zone = graph.link(record, "zone_id", "route53.zone", "data.route53_zone")
    domain = zone.resource["name"] if zone is not None else None
    within = isinstance(domain, str) and record.dialect != "cloudformation"
    return {plain, f"{plain}.{str(domain).rstrip('.').lower()}"} if within else {plain}


def _by_cname(graph: Graph, record: Resource) -> Link | None:
    """Return the load balancer that a CNAME leads to, if it leads to one."""
    if record["type"] != "CNAME":
        return None
    links = graph.links(record, record["records"], "lb.load_balancer")
    return links[0] if links else None
