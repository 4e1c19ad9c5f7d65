"""Ownership of the KMS key that protects a resource."""

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Unresolved, Value, strings


def aws_key(graph: Graph, resource: Resource, path: str) -> str:
    """Return who owns the key that an attribute names: `none`, `aws` or `own`.

    Raises:
        Unresolved: If the attribute is set to an unknown key.
    """
    return owner_of_key(graph, resource, resource[path], path)


def owner_of_key(graph: Graph, resource: Resource, value: Value, path: str) -> str:
    """Return who owns a key that a resource names, as `aws_key` does.

    Raises:
        Unresolved: If the key is unknown, or may be one of several owners'.
    """
    if value is None or value == "":
        return "none"
    if isinstance(value, Unknown) and value.either:
        owners = {owner_of_key(graph, resource, each, path) for each in value.either}
        if len(owners) == 1:
            return owners.pop()
        raise Unresolved(resource.undecided_because(path, value.why))
    for link in graph.links(resource, value):
        if link.resource.kind in {"kms.key", "kms.replica_key"}:
            return "own"
        if link.resource.kind in {"kms.alias", "data.kms_alias"}:
            name = link.resource.text("name") or ""
            return "aws" if name.startswith("alias/aws/") else "own"
        if link.resource.kind == "data.kms_key":
            named = strings(link.resource["key_id"])
            return "aws" if any("alias/aws/" in text for text in named) else "own"
    if any("alias/aws/" in text for text in strings(value)):
        return "aws"
    if isinstance(value, Unknown):
        raise Unresolved(resource.undecided_because(path, value.why))
    return "own"


def key_of(graph: Graph, resource: Resource, path: str) -> Resource | None:
    """Return the key that an attribute names, by itself or by an alias, if it is in the graph."""
    link = graph.link(resource, path, "kms.key", "kms.replica_key", "kms.alias")
    if link is not None and link.resource.kind == "kms.alias":
        link = graph.link(link.resource, "target_key_id", "kms.key", "kms.replica_key")
    return link.resource if link is not None else None
