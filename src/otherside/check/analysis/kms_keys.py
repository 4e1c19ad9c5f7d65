"""Ownership of the KMS key that protects a resource."""

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Unresolved, strings


def aws_key(graph: Graph, resource: Resource, path: str) -> str:
    """Return who owns the key that an attribute names: `none`, `aws` or `own`.

    Raises:
        Unresolved: If the attribute is set to an unknown key.
    """
    value = resource[path]
    if value is None:
        return "none"
    for link in graph.links(resource, value):
        if link.resource.kind in {"kms.key", "kms.replica_key"}:
            return "own"
        if link.resource.kind in {"kms.alias", "data.kms_alias"}:
            name = link.resource.text("name") or ""
            return "aws" if name.startswith("alias/aws/") else "own"
        if link.resource.kind == "data.kms_key":
            key = link.resource["key_id"]
            return "aws" if isinstance(key, str) and "alias/aws/" in key else "own"
    if any("alias/aws/" in text for text in strings(value)):
        return "aws"
    if isinstance(value, Unknown):
        raise Unresolved(resource.undecided_because(path, value.why))
    return "own"
