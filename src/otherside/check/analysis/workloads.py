"""Workloads and databases of a Region."""

from otherside.check.analysis.databases import DATABASES
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved, refs


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


def scaling_of(graph: Graph, service: Resource) -> list[Resource]:
    """Return the scalable targets of an ECS service, which they name as `service/cluster/name`.

    Raises:
        Unresolved: If none is known to be its own, and one may be.
    """
    targets = graph.of("appautoscaling.target", region=service.region)
    own = [target for target in targets if _names(target, service)]
    for target in targets if not own else ():
        if not (isinstance(target["resource_id"], str) and isinstance(service["name"], str)):
            raise Unresolved(target.undecided_because("resource_id", "not known"))
    return own


def _names(target: Resource, service: Resource) -> bool:
    named, name = target["resource_id"], service["name"]
    if isinstance(named, str) and isinstance(name, str):
        return named.rpartition("/")[2] == name
    return any(ref.target == service.id for ref in refs(named))
