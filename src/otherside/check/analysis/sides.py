"""Find the primary and the standby Region from evidence in the stack itself."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from otherside.check.analysis.bucket_copies import copied_to
from otherside.check.model.arn import is_region
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Unresolved

_WORDS = {
    "primary": {"primary", "main", "active"},
    "standby": {"standby", "dr", "secondary", "passive", "recovery", "failover", "backup"},
}


@dataclass(frozen=True, slots=True)
class Sides:
    """The primary and the standby Region."""

    primary: str
    standby: str


def pair_of(graph: Graph) -> Sides | None:
    """Return the pair that the strongest evidence identifies, or `None`."""
    return graph.memoize("sides", lambda: _find_sides(graph))


def sides_of(graph: Graph) -> Sides:
    """Return the primary and the standby Region.

    Raises:
        Unresolved: If there is no evidence.
    """
    sides = pair_of(graph)
    if sides is None:
        msg = "nothing tells which Region is the primary"
        raise Unresolved(msg)
    return sides


def _find_sides(graph: Graph) -> Sides | None:
    for witness in (_by_records, _by_databases, _by_copies, _by_names):
        with suppress(Unresolved):  # an unresolved source gives no evidence
            for primary, standby in witness(graph):
                if primary != standby and is_region(primary) and is_region(standby):
                    return Sides(str(primary), str(standby))
    return None


_ALIASES_MAX = 10
Named = Iterator[tuple[str | None, str | None]]


def _by_records(graph: Graph) -> Named:
    """Yield pairs from failover records: users go to PRIMARY while it is healthy."""
    sides: dict[tuple[object, object], dict[str, str | None]] = {}
    for record in graph.of("route53.record"):
        side = record["failover_routing_policy.type"]
        if side not in {"PRIMARY", "SECONDARY"}:
            continue
        key = (_plain(record["name"]), record["type"])
        sides.setdefault(key, {})[side] = serving_region(graph, record)
    for found in sides.values():
        if len(found) == 2:  # noqa: PLR2004 - both sides
            yield found["PRIMARY"], found["SECONDARY"]


_SAYS_NOTHING = frozenset(
    {
        *("data.aws_secretsmanager_secret_version", "data.aws_ssm_parameter"),
        *("data.terraform_remote_state", "secretsmanager.secret_version", "ssm.parameter"),
    }
)
"""Kinds that carry a value of anywhere: where they are read says nothing of where it leads."""


def serving_region(graph: Graph, record: Resource, depth: int = 0) -> str | None:
    """Return the Region that a record sends users to, or `None`."""
    target = graph.link(record, "alias.name") or graph.link(record, "records")
    if target is not None and target.resource.kind == "route53.record" and depth < _ALIASES_MAX:
        return serving_region(graph, target.resource, depth + 1)
    if target is not None and target.resource.kind in _SAYS_NOTHING:
        return None
    if target is not None:
        return target.resource.region if is_region(target.resource.region) else None
    for text in (record["alias.name"], *_texts(record["records"])):
        for part in text.split(".") if isinstance(text, str) else ():
            if is_region(part):
                return str(part)
    return None


def _plain(value: object) -> object:
    return value.rstrip(".").lower() if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _by_databases(graph: Graph) -> Named:
    """Yield pairs from replication: the source is the primary."""
    for cluster in graph.of("rds.cluster"):
        source = cluster["source_region"]
        if is_region(source):
            yield source, cluster.region
    for group in graph.of("rds.global_cluster"):
        members = [
            cluster
            for cluster in graph.of("rds.cluster")
            if (link := graph.link(cluster, "global_cluster_identifier", "rds.global_cluster"))
            and link.resource is group
        ]
        writers = [member for member in members if member["master_username"] is not None]
        others = [member for member in members if member["master_username"] is None]
        if len(writers) == 1 and others:
            yield writers[0].region, others[0].region
    for kind, path in (
        ("rds.cluster", "replication_source_identifier"),
        ("rds.instance", "replicate_source_db"),
    ):
        for replica in graph.of(kind):
            link = graph.link(replica, path, "rds.cluster", "rds.instance")
            if link is not None:
                yield link.resource.region, replica.region


def _by_copies(graph: Graph) -> Named:
    """Yield pairs from one-way copies: secret replicas and bucket replication."""
    for secret in graph.of("secretsmanager.secret"):
        for replica in secret["replica"] if isinstance(secret["replica"], list) else ():
            if not isinstance(replica, Unknown):
                yield secret.region, replica.get("region")
    ways = set()
    for replication in graph.of("s3.replication"):
        for links in copied_to(graph, replication):
            ways |= {(replication.region, link.resource.region) for link in links}
    for source, target in sorted(ways, key=str):
        if (target, source) not in ways:
            yield source, target


def _by_names(graph: Graph) -> Named:
    """Yield the pair that names indicate: of providers (`aws.dr`), or else of stacks.

    What every stack has in its name is where the files are, and says nothing of either side.
    """
    placed = [item for item in graph.resources.values() if is_region(item.region)]
    providers = [
        (_words(item.name if item.kind == "provider" else item.provider), item.region)
        for item in placed
    ]
    stacks = {item.stack: _words(item.stack) for item in placed}
    common = frozenset.intersection(*stacks.values()) if stacks else frozenset()
    for named in (providers, [(stacks[item.stack] - common, item.region) for item in placed]):
        found: dict[str, set[str | None]] = {
            side: {region for words, region in named if words & called}
            for side, called in _WORDS.items()
        }
        if len(found["primary"]) == len(found["standby"]) == 1:
            yield found["primary"].pop(), found["standby"].pop()
            return


def _words(text: str) -> frozenset[str]:
    return frozenset(re.split(r"[^a-z0-9]+", text.lower()))
