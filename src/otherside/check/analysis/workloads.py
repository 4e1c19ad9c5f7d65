"""Workloads and databases of a Region."""

from otherside.check.analysis.databases import DATABASES
from otherside.check.model.graph import Graph


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
