"""Functions that lead a failover: their code, their rights and who calls them."""

import re
from functools import lru_cache

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
"""What moves the writer."""


_MOVES = ("failoverglobalcluster", "promotereadreplica")


PURPOSE = re.compile(
    r"fail-?_?over|promot(e|er|ing)[-_]?(db|database|replica|standby|cluster|region|dr)|disaster"
    r"|(^|[-_])dr[-_](handler|lambda|function|orch)",
    re.IGNORECASE,
)


def role_of(graph: Graph, function: Resource) -> Resource | None:
    """Return the role that a function runs as, or `None` where it is not in the graph."""
    link = graph.link(function, "role", "iam.role")
    return link.resource if link is not None else None


def rights_of(graph: Graph, function: Resource) -> Rights:
    """Return what a function may do."""
    role = role_of(graph, function)
    if role is None:
        return Rights((), f"the role of {function.label}")
    return graph.once(f"rights {role.id}", lambda: rights(graph, role))


def promoters(graph: Graph) -> list[Resource]:
    """Return the functions that may move the writer."""

    def look() -> list[Resource]:
        return [
            function
            for function in graph.of("lambda.function")
            if any(_may(graph, function, action) for action in PROMOTING)
        ]

    return graph.once("promoters", look)


def _may(graph: Graph, function: Resource, action: str) -> bool:
    """Tell whether a function may do something, and not only because it may do everything."""
    allowed = rights_of(graph, function)
    return bool(allowed.allow(action)) and (allowed.means(action) or purposeful(graph, function))


def failover_functions(graph: Graph) -> list[Resource]:
    """Return the functions whose purpose is a failover: by rights, by code or by name."""

    def look() -> list[Resource]:
        able = {function.id for function in promoters(graph)}
        functions = graph.of("lambda.function")
        return [
            function for function in functions if function.id in able or purposeful(graph, function)
        ]

    return graph.once("failover_functions", look)


def callers(graph: Graph) -> list[Resource]:
    """Return the functions that may call one that moves the writer: the deciders of actuators."""

    def look() -> list[Resource]:
        able = {function.id for function in promoters(graph)}
        return [
            function
            for function in graph.of("lambda.function")
            if function.id not in able and able & set(_called(graph, function))
        ]

    return graph.once("callers", look)


def _called(graph: Graph, function: Resource) -> list[str]:
    """Return the functions that a function's role names as those that it may call."""
    named = rights_of(graph, function).named("lambda:InvokeFunction")
    return [
        link.resource.id
        for value in named
        for link in graph.links(function, value, "lambda.function")
    ]


def orchestrators(graph: Graph) -> list[Resource]:
    """Return the functions that lead a failover: they move the writer, or have it moved."""
    return graph.once("orchestrators", lambda: unique(failover_functions(graph), callers(graph)))


def unique(*groups: list[Resource]) -> list[Resource]:
    """Return the resources of all groups, each once, in order."""
    return list({resource.id: resource for group in groups for resource in group}.values())


def sharing(graph: Graph, function: Resource) -> list[Resource]:
    """Return the functions that run the same bundle, this one among them."""

    def look() -> dict[Code | None, list[Resource]]:
        found: dict[Code | None, list[Resource]] = {}
        for other in graph.of("lambda.function"):
            found.setdefault(bundle(graph, other), []).append(other)
        return found

    return graph.once("sharing", look)[bundle(graph, function)]


def purposeful(graph: Graph, function: Resource) -> bool:
    """Tell whether a function's name or code says that it moves the writer."""
    name = function["name"] if isinstance(function["name"], str) else ""
    label = re.split(r"[#.:/]", function.name)[-1]
    if PURPOSE.search(f"{name} {label}"):
        return True
    code = squeezed(code_of(graph, function))
    return any(move in code for move in _MOVES)


def bundle(graph: Graph, function: Resource) -> Code | None:
    """Return what a function runs: its own code, or that of the archive that it names."""
    source = function["source"]
    if isinstance(source, Code):
        return source
    link = graph.link(function, "filename", "data.archive_file")
    packed = link.resource["source"] if link is not None else None
    return packed if isinstance(packed, Code) else None


@lru_cache(maxsize=256)
def squeezed(code: str) -> str:
    """Return code in one case and without underscores: `failover_global_cluster` is one word."""
    return code.lower().replace("_", "")


def code_of(graph: Graph, function: Resource) -> str:
    """Return a function's code as far as it shows."""
    found = bundle(graph, function)
    return found.text() if found is not None else ""


def managed_orchestrators(graph: Graph) -> list[Resource]:
    """Return what else can lead a recovery: ARC plans, state machines that promote."""
    found = list(graph.of("arc.plan", "arc.routing_control"))
    for machine in graph.of("sfn.state_machine"):
        text = " ".join(strings(machine["definition"]))
        if re.search(r"failoverGlobalCluster|switchoverGlobalCluster|promoteReadReplica", text):
            found.append(machine)
    return found
