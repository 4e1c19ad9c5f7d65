"""Where the replication of a bucket copies its objects to."""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Link, Resource


def copied_to(graph: Graph, replication: Resource) -> Iterator[list[Link]]:
    """Yield the buckets that each enabled rule copies to: none where that is not known."""
    rules = replication["rule"]
    for each in rules if isinstance(rules, list) else [rules]:
        if isinstance(each, dict) and each.get("status") == "Disabled":
            continue
        target = each.get("destination") if isinstance(each, dict) else None
        value = target.get("bucket") if isinstance(target, dict) else None
        yield graph.links(replication, value, "s3.bucket")
