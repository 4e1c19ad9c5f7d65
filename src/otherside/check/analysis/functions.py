"""Functions that run a failover: their code, permissions and callers."""

import re
from functools import lru_cache

from otherside.check.analysis.code_text import without_comments
from otherside.check.analysis.iam import Rights, rights
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Code, strings

PROMOTING = (
    "rds:FailoverGlobalCluster",
    "rds:SwitchoverGlobalCluster",
    "rds:RemoveFromGlobalCluster",
    "rds:PromoteReadReplica",
    "rds:PromoteReadReplicaDBCluster",
    "elasticache:FailoverGlobalReplicationGroup",
)
"""Actions that move the writer."""


_MOVES = (
    *("failoverglobalcluster", "switchoverglobalcluster", "promotereadreplica"),
    "updateroutingcontrolstate",
)


PURPOSE = re.compile(
    r"fail-?_?over|switch-?_?over|promot(e|er|ing)[-_]?(db|database|replica|standby|cluster|region|dr)|disaster"
    r"|(^|[-_])dr[-_](handler|lambda|function|orch)",
    re.IGNORECASE,
)


def role_of(graph: Graph, function: Resource) -> Resource | None:
    """Return the role that a function runs as, or `None` if it is not in the graph."""
    link = graph.link(function, "role", "iam.role")
    return link.resource if link is not None else None


def rights_of(graph: Graph, function: Resource) -> Rights:
    """Return a function's permissions."""
    role = role_of(graph, function)
    if role is None:
        return Rights((), f"the role of {function.label}")
    return graph.memoize(f"rights {role.id}", lambda: rights(graph, role))


def promoters(graph: Graph) -> list[Resource]:
    """Return the functions that are allowed to move the writer."""

    def look() -> list[Resource]:
        return [
            function
            for function in graph.of("lambda.function")
            if any(_may(graph, function, action) for action in PROMOTING)
        ]

    return graph.memoize("promoters", look)


def _may(graph: Graph, function: Resource, action: str) -> bool:
    """Return whether a function may perform an action.

    A grant as broad as `*` or `rds:*` counts only if the function's name or code shows that it
    moves the writer.
    """
    allowed = rights_of(graph, function)
    return bool(allowed.allow(action)) and (allowed.means(action) or purposeful(graph, function))


def failover_functions(graph: Graph) -> list[Resource]:
    """Return the functions whose permissions, code or name mark them as failover functions."""

    def look() -> list[Resource]:
        able = {function.id for function in promoters(graph)}
        functions = graph.of("lambda.function")
        return [
            function for function in functions if function.id in able or purposeful(graph, function)
        ]

    return graph.memoize("failover_functions", look)


def callers(graph: Graph) -> list[Resource]:
    """Return the functions that may invoke a promoter: deciders that delegate to an actuator."""

    def look() -> list[Resource]:
        able = {function.id for function in promoters(graph)}
        return [
            function
            for function in graph.of("lambda.function")
            if function.id not in able and able & set(_called(graph, function))
        ]

    return graph.memoize("callers", look)


def _called(graph: Graph, function: Resource) -> list[str]:
    """Return the ids of the functions that a function's role names as invocable."""
    named = rights_of(graph, function).named("lambda:InvokeFunction")
    return [
        link.resource.id
        for value in named
        for link in graph.links(function, value, "lambda.function")
    ]


def orchestrators(graph: Graph) -> list[Resource]:
    """Return the functions that run a failover: the failover functions and their callers."""
    return graph.memoize("orchestrators", lambda: unique(failover_functions(graph), callers(graph)))


def unique(*groups: list[Resource]) -> list[Resource]:
    """Return the resources of all groups in order, without duplicates."""
    return list({resource.id: resource for group in groups for resource in group}.values())


def sharing(graph: Graph, function: Resource) -> list[Resource]:
    """Return the functions that run the same bundle, including this one."""

    def look() -> dict[Code | None, list[Resource]]:
        found: dict[Code | None, list[Resource]] = {}
        for other in graph.of("lambda.function"):
            found.setdefault(bundle(graph, other), []).append(other)
        return found

    return graph.memoize("sharing", look)[bundle(graph, function)]


def purposeful(graph: Graph, function: Resource) -> bool:
    """Return whether a function's name or code shows that it moves the writer."""
    name = function["name"] if isinstance(function["name"], str) else ""
    label = re.split(r"[#.:/]", function.name)[-1]
    if PURPOSE.search(f"{name} {label}"):
        return True
    code = squeezed(code_of(graph, function))
    return any(move in code for move in _MOVES)


def bundle(graph: Graph, function: Resource) -> Code | None:
    """Return the code that a function runs: its own, an archive's, or that of a bucket's object."""
    source = function["source"]
    if isinstance(source, Code):
        return source
    link = graph.link(function, "filename", "data.archive_file")
    archive = link.resource if link is not None else _object_of(graph, function)
    if archive is not None and not isinstance(archive["source"], Code):
        link = graph.link(archive, "source", "data.archive_file")
        archive = link.resource if link is not None else archive
    packed = archive["source"] if archive is not None else None
    return packed if isinstance(packed, Code) else None


def _object_of(graph: Graph, function: Resource) -> Resource | None:
    """Return the object that a function's code is taken from, by its key in its bucket."""
    key = function["s3_key"]
    if key is None:
        return None
    link = graph.link(function, "s3_key", "s3.object")
    named = [link.resource] if link is not None else []
    if isinstance(key, str):
        named += graph.memoize("objects by key", lambda: _by_key(graph)).get(key, [])
    near = [item for item in named if _same_bucket(graph, function, item)]
    return near[0] if len({item.id for item in near}) == 1 else None


def _by_key(graph: Graph) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for item in graph.of("s3.object"):
        if isinstance(item["key"], str):
            found.setdefault(item["key"], []).append(item)
    return found


def _same_bucket(graph: Graph, function: Resource, item: Resource) -> bool:
    buckets = [
        graph.link(each, path, "s3.bucket")
        for each, path in ((function, "s3_bucket"), (item, "bucket"))
    ]
    if None not in buckets:
        return len({link.resource.id for link in buckets if link is not None}) == 1
    return isinstance(item["bucket"], str) and function["s3_bucket"] == item["bucket"]


@lru_cache(maxsize=256)
def squeezed(code: str) -> str:
    """Return code in lower case without underscores, so `failover_global_cluster` is one word."""
    return code.lower().replace("_", "")


def code_of(graph: Graph, function: Resource) -> str:
    """Return the available part of a function's code, without comments."""
    found = bundle(graph, function)
    return "" if found is None else _code_in(found)


@lru_cache(maxsize=256)
def _code_in(found: Code) -> str:
    return "\n".join(without_comments(text) for _, text in found.files if text)


def managed_orchestrators(graph: Graph) -> list[Resource]:
    """Return the ARC resources and promoting state machines that can run a recovery."""
    machines = [item for item in graph.of("sfn.state_machine") if promotes(item)]
    return [*graph.of("arc.plan", "arc.routing_control"), *machines]


def promotes(machine: Resource) -> bool:
    """Return whether a state machine's tasks move the writer themselves."""
    text = " ".join(strings(machine["definition"]))
    return bool(re.search(r"(?:failover|switchover)GlobalCluster|promoteReadReplica", text))
