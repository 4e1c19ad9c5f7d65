"""Workloads and databases of a Region, and how many tasks an ECS service may have."""

from dataclasses import dataclass, field

from otherside.check.analysis.databases import DATABASES
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Unresolved, refs

_PARTS = 3
"""A scalable target names an ECS service as `service/cluster/name`."""


def serves(graph: Graph, region: str) -> bool:
    """Return whether a Region holds a workload or a database that users would miss."""
    kinds = (
        "autoscaling.group",
        "lb.load_balancer",
        "ecs.service",
        "eks.cluster",
        "ec2.instance",
        *DATABASES,
    )
    return any(graph.of(kind, region=region) for kind in kinds)


def tasks_of(graph: Graph, service: Resource) -> tuple[int, int]:
    """Return the least and the most tasks of an ECS service.

    Without a count of its own, CloudFormation starts one task, and the providers start none.

    Raises:
        Unresolved: If either is known only at deployment.
    """
    own = _scaling_of(graph, service)
    if own:
        least = [int(target.known("min_capacity") or 0) for target in own]
        most = [int(target.known("max_capacity") or 0) for target in own]
        return max(least), max(most)
    count = service.known("desired_count")
    if count is None:
        count = 1 if service.dialect == "cloudformation" else 0
    return int(count), int(count)


@dataclass(slots=True)
class _Scaling:
    """The scalable targets of ECS services, by what they name."""

    by_id: dict[str, list[Resource]] = field(default_factory=dict)
    by_name: dict[tuple[str | None, str], list[tuple[str, Resource]]] = field(default_factory=dict)
    """By Region and name, with the cluster."""
    named: dict[str | None, Resource] = field(default_factory=dict)
    """One of each Region that names its service."""
    stray: dict[str | None, Resource] = field(default_factory=dict)
    """One of each Region that does not say whose it is."""


def _scaling_of(graph: Graph, service: Resource) -> list[Resource]:
    found = graph.memoize("scalable targets of services", lambda: _index(graph))
    own = list(found.by_id.get(service.id, ()))
    name, cluster = service["name"], _cluster_of(graph, service)
    named = found.by_name.get((service.region, name), ()) if isinstance(name, str) else ()
    own += [target for where, target in named if where == cluster]
    unsure = found.stray.get(service.region)
    if cluster is None and named:
        unsure = named[0][1]
    if isinstance(name, Unknown):
        unsure = unsure or found.named.get(service.region)
    if not own and unsure is not None:
        raise Unresolved(unsure.undecided_because("resource_id", "not known"))
    return own


def _cluster_of(graph: Graph, service: Resource) -> str | None:
    """Return the name of a service's cluster, or `None` if it is not known."""
    link = graph.link(service, "cluster", "ecs.cluster")
    cluster = link.resource["name"] if link is not None else service["cluster"]
    if cluster is None:
        return "default"
    return cluster.rpartition("/")[2] if isinstance(cluster, str) else None


def _index(graph: Graph) -> _Scaling:
    found = _Scaling()
    for target in graph.of("appautoscaling.target"):
        if isinstance(target["service_namespace"], str) and target["service_namespace"] != "ecs":
            continue
        named = target["resource_id"]
        if isinstance(named, str):
            parts = named.split("/")
            if len(parts) == _PARTS and parts[0] == "service":
                key = target.region, parts[2]
                found.by_name.setdefault(key, []).append((parts[1], target))
                found.named[target.region] = target
            continue
        targets = [graph.resources.get(ref.target) for ref in refs(named)]
        services = [item for item in targets if item is not None and item.kind == "ecs.service"]
        for service in services:
            found.by_id.setdefault(service.id, []).append(target)
        if not services:
            found.stray[target.region] = target
    return found
