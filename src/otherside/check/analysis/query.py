"""What several rules ask of a graph, in the words of recovery."""

import re
from functools import lru_cache

from otherside.check.analysis.iam import Rights, rights
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Code, Undecided, Unknown, settled, strings

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
DATABASES = ("rds.cluster", "rds.instance")
PURPOSE = re.compile(
    r"fail-?_?over|promot(e|er|ing)[-_]?(db|database|replica|standby|cluster|region|dr)|disaster"
    r"|(^|[-_])dr[-_](handler|lambda|function|orch)",
    re.IGNORECASE,
)


def aws_key(graph: Graph, one: Resource, path: str) -> str:
    """Return whose key an attribute names: `none`, `aws` or `own`.

    Raises:
        Undecided: If it is set, and nobody can tell to what.
    """
    value = one[path]
    if value is None:
        return "none"
    for link in graph.links(one, value):
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
        raise Undecided(one.cannot(path, value.why))
    return "own"


def members(graph: Graph, group: Resource) -> list[Resource]:
    """Return the clusters of a global cluster."""
    found = graph.users(group, "rds.cluster", "global_cluster_identifier")
    source = graph.link(group, "source_db_cluster_identifier", "rds.cluster")
    extra = [source.resource] if source is not None and source.resource not in found else []
    return [*extra, *found]


def is_global_member(cluster: Resource) -> bool:
    """Tell whether a cluster belongs to a global cluster."""
    return cluster["global_cluster_identifier"] is not None


def instances(graph: Graph, cluster: Resource) -> list[Resource]:
    """Return the instances of a cluster."""
    return graph.users(cluster, "rds.cluster_instance", "cluster_identifier")


def is_secondary(graph: Graph, cluster: Resource) -> bool:
    """Tell whether a cluster of a global cluster is not its writer."""
    if not is_global_member(cluster):
        return False
    if cluster["source_region"] is not None or cluster["replication_source_identifier"] is not None:
        return True
    if cluster["master_username"] is not None or cluster["master_password"] is not None:
        return False
    return cluster.here() != graph.sides().primary


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
            one
            for one in graph.of("lambda.function")
            if any(_may(graph, one, action) for action in PROMOTING)
        ]

    return graph.once("promoters", look)


def _may(graph: Graph, function: Resource, action: str) -> bool:
    """Tell whether a function may do something, and not only because it may do everything."""
    allowed = rights_of(graph, function)
    return bool(allowed.allow(action)) and (allowed.means(action) or purposeful(graph, function))


def failover_functions(graph: Graph) -> list[Resource]:
    """Return the functions whose purpose is a failover: by rights, by code or by name."""

    def look() -> list[Resource]:
        able = {one.id for one in promoters(graph)}
        functions = graph.of("lambda.function")
        return [one for one in functions if one.id in able or purposeful(graph, one)]

    return graph.once("failover_functions", look)


def callers(graph: Graph) -> list[Resource]:
    """Return the functions that may call one that moves the writer: the deciders of actuators."""

    def look() -> list[Resource]:
        able = {one.id for one in promoters(graph)}
        return [
            one
            for one in graph.of("lambda.function")
            if one.id not in able and able & set(_called(graph, one))
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
    return list({one.id: one for group in groups for one in group}.values())


def sharing(graph: Graph, function: Resource) -> list[Resource]:
    """Return the functions that run the same bundle, this one among them."""

    def look() -> dict[Code | None, list[Resource]]:
        found: dict[Code | None, list[Resource]] = {}
        for one in graph.of("lambda.function"):
            found.setdefault(bundle(graph, one), []).append(one)
        return found

    return graph.once("sharing", look)[bundle(graph, function)]


def purposeful(graph: Graph, function: Resource) -> bool:
    """Tell whether a function's name or code says that it moves the writer."""
    name = function["name"] if isinstance(function["name"], str) else ""
    label = re.split(r"[#.:/]", function.name)[-1]
    if PURPOSE.search(f"{name} {label}"):
        return True
    code = squeezed(code_of(graph, function))
    return any(one in code for one in _MOVES)


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


def groups_of(graph: Graph, target_group: Resource) -> list[Resource]:
    """Return the Auto Scaling groups that fill a target group."""
    found = list(graph.known_users(target_group, "autoscaling.group", "target_group_arns"))
    path = "lb_target_group_arn"
    for one in graph.known_users(target_group, "autoscaling.attachment", path):
        group = graph.link(one, "autoscaling_group_name", "autoscaling.group")
        if group is not None:
            found.append(group.resource)
    return found


def listeners(graph: Graph, balancer: Resource) -> list[Resource]:
    """Return the listeners of a load balancer."""
    return graph.users(balancer, "lb.listener", "load_balancer_arn")


def forwards(graph: Graph, listener: Resource) -> bool:
    """Tell whether a listener hands requests on, and does not answer all of them itself."""
    for one in graph.users(listener, "lb.listener_rule", "listener_arn"):
        if any(settled(each.get("type")) == "forward" for each in one["action"] or ()):
            return True
    actions = listener["default_action"]
    if not isinstance(actions, list):
        return True
    types = {one.get("type") for one in actions if isinstance(one, dict)}
    return (
        not types or bool(types & {"forward", None}) or any(isinstance(t, Unknown) for t in types)
    )


def failover_records(graph: Graph, side: str) -> list[Resource]:
    """Return the records that answer while the primary is healthy, or while it is not."""

    def look() -> list[Resource]:
        records = graph.of("route53.record")
        return [one for one in records if one["failover_routing_policy.type"] == side]

    return graph.once(f"failover_records {side}", look)


def decides(graph: Graph, check: Resource) -> bool:
    """Tell whether DNS fails over by a health check, directly or as a child."""

    def look() -> set[str]:
        found = set()
        for record in failover_records(graph, "PRIMARY"):
            link = graph.link(record, "health_check_id", "route53.health_check")
            if link is not None:
                children = graph.links(link.resource, link.resource["child_healthchecks"])
                found |= {link.resource.id, *(one.resource.id for one in children)}
        return found

    return check.id in graph.once("decides", look)


def serves(graph: Graph, region: str) -> bool:
    """Tell whether anything runs or is kept in a Region that users would miss."""
    kinds = (
        "autoscaling.group",
        "lb.load_balancer",
        "ecs.service",
        "eks.cluster",
        "ec2.instance",
        *DATABASES,
    )
    return any(graph.of(kind, region=region) for kind in kinds)
