"""Queries on clusters, instances and global databases."""

from otherside.check.analysis.sides import sides_of
from otherside.check.model.arn import region_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import require_known

DATABASES = ("rds.cluster", "rds.instance")


def members(graph: Graph, group: Resource) -> list[Resource]:
    """Return the clusters of a global cluster."""
    found = graph.users(group, "rds.cluster", "global_cluster_identifier")
    source = graph.link(group, "source_db_cluster_identifier", "rds.cluster")
    extra = [source.resource] if source is not None and source.resource not in found else []
    return [*extra, *found]


def is_global_member(cluster: Resource) -> bool:
    """Return whether a cluster belongs to a global cluster."""
    return cluster["global_cluster_identifier"] is not None


def instances(graph: Graph, cluster: Resource) -> list[Resource]:
    """Return the instances of a cluster."""
    return graph.users(cluster, "rds.cluster_instance", "cluster_identifier")


def is_secondary(graph: Graph, cluster: Resource) -> bool:
    """Return whether a cluster is a member of a global cluster but not its writer."""
    if not is_global_member(cluster):
        return False
    if cluster["source_region"] is not None or cluster["replication_source_identifier"] is not None:
        return True
    if cluster["master_username"] is not None or cluster["master_password"] is not None:
        return False
    return cluster.required_region() != sides_of(graph).primary


def follows_afar(graph: Graph, instance: Resource) -> bool:
    """Return whether an instance is the replica of one in another Region."""
    source = graph.link(instance, "replicate_source_db", "rds.instance")
    named = require_known(instance["replicate_source_db"]) if source is None else None
    far = source.resource.region if source else region_of(named)
    return far is not None and instance.region is not None and far != instance.region
