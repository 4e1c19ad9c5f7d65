"""The failover function's role lacks permissions that a failover needs.

## Why
The function first runs in the disaster, and AWS denies its calls. Nothing reveals this earlier: a
role without the permission deploys just as well as one with it.

## Fix
Allow every action that the code calls, on the global cluster and both of its members.

```python
statement = {
    "Effect": "Allow",
    "Action": ["rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster", "rds:DescribeGlobalClusters"],
    "Resource": [global_cluster.arn, primary.arn, standby.arn],
}
```

```hcl
statement {
  actions   = ["rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster", "rds:DescribeGlobalClusters"]
  resources = [aws_rds_global_cluster.this.arn, aws_rds_cluster.primary.arn, aws_rds_cluster.standby.arn]
}
```

```yaml
- Effect: Allow
  Action: [rds:FailoverGlobalCluster, rds:SwitchoverGlobalCluster, rds:DescribeGlobalClusters]
  Resource:
    - !Sub "arn:aws:rds::${AWS::AccountId}:global-cluster:${GlobalCluster}"
    - !Sub "arn:aws:rds:*:${AWS::AccountId}:cluster:orders-*"
```

## Impact
RTO: the failover stops at the first denied call and waits for an operator with permissions.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
"""

import json
import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from otherside.check.analysis.databases import members
from otherside.check.analysis.functions import (
    PROMOTING,
    code_of,
    failover_functions,
    promotes,
    purposeful,
    rights_of,
    sharing,
    squeezed,
)
from otherside.check.analysis.iam import Rights, may_be_of_kind, may_cover, rights
from otherside.check.model.arn import spelt
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved, Value, strings
from otherside.check.rule import RecoveryStep, Severity, rule

_OPERATIONS = {
    "rds": (
        "FailoverGlobalCluster SwitchoverGlobalCluster RemoveFromGlobalCluster PromoteReadReplica "
        "PromoteReadReplicaDBCluster DescribeGlobalClusters DescribeDBClusters DescribeDBInstances "
        "ModifyDBCluster FailoverDBCluster"
    ),
    "route53-recovery-cluster": (
        "UpdateRoutingControlState UpdateRoutingControlStates GetRoutingControlState "
        "ListRoutingControls"
    ),
    "route53": "GetHealthCheckStatus ChangeResourceRecordSets GetHealthCheck UpdateHealthCheck",
    "cloudwatch": "DescribeAlarms GetMetricData GetMetricStatistics PutMetricData",
    "autoscaling": "UpdateAutoScalingGroup SetDesiredCapacity DescribeAutoScalingGroups",
    "dynamodb": "GetItem PutItem UpdateItem DeleteItem",
    "ecs": "UpdateService",
    "elasticloadbalancing": "ModifyListener ModifyRule DescribeTargetHealth RegisterTargets",
    "globalaccelerator": "UpdateEndpointGroup",
    "secretsmanager": "GetSecretValue",
    "sns": "Publish",
    "ssm": "StartAutomationExecution GetParameter PutParameter",
}
_SPOKEN_WITH = {
    "Publish": ("sns", "topicarn"),
    **dict.fromkeys(_OPERATIONS["dynamodb"].split(), ("dynamodb",)),
    **dict.fromkeys(("GetParameter", "PutParameter"), ("ssm",)),
    "UpdateService": ("ecs",),
}
"""Words that code must also contain if other libraries have methods of the same name."""
_TELLS = re.compile(r"notif|alert|monitor|report|watch|status|check", re.IGNORECASE)
"""Names of functions that speak of a failover and may not run one."""
_GLOBAL = ("route53", "globalaccelerator:", "iam:")
"""Services that are called in a Region of their own."""
_CLIENT_REGION = re.compile(r"\bregion(?:_name)?\s*[=:]\s*[\"']([a-z]{2}-[a-z]+-\d)[\"']")
"""A client's Region, as code writes it out."""
_TASK = re.compile(r"arn:aws[\w-]*:states:::(?:aws-sdk:)?\w+:(\w+)")
"""A state machine's task that calls AWS: `arn:aws:states:::aws-sdk:rds:failoverGlobalCluster`."""
_BY_ANOTHER = (
    *("states:StartExecution", "states:StartSyncExecution", "lambda:InvokeFunction"),
    *("arc-region-switch:StartPlanExecution", "ssm:StartAutomationExecution"),
    "route53-recovery-cluster:UpdateRoutingControlState",
)
"""Actions that leave the move to something else: a state machine, a plan, another function."""
CALLS = {
    operation: f"{service}:{operation}"
    for service, names in _OPERATIONS.items()
    for operation in names.split()
}


def _snake(name: str) -> str:
    name = re.sub(r"DB(?=[A-Z])", "Db", name)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _spelling(operation: str) -> re.Pattern[str]:
    """Return how code spells an operation: a method, a command's class, a paginator or a waiter."""
    snake, camel = _snake(operation), f"{operation[0].lower()}{operation[1:]}"
    quoted = f"[\"'](?:{operation}|{snake})[\"']"
    return re.compile(rf"\.(?:{snake}|{camel})(?!\w)|\b{operation}Command\b|{quoted}")


_SPELT = {operation: _spelling(operation) for operation in CALLS}


_GLOBAL_MOVES = frozenset({"rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"})
_ROUTING = frozenset({"route53:ChangeResourceRecordSets", "route53:UpdateHealthCheck"})
"""What a function calls that moves users rather than the writer."""
_CHANGES = tuple(
    action for action in CALLS.values() if not action.split(":")[1].startswith(("Describe", "Get"))
)
"""The actions that change something."""


@lru_cache(maxsize=256)
def called(code: str) -> frozenset[str]:
    """Return the actions that Python, JavaScript or TypeScript code calls."""
    spoken = squeezed(code)
    return frozenset(
        CALLS[operation]
        for operation, spelt in _SPELT.items()
        if operation.lower() in spoken
        and any(item in spoken for item in _SPOKEN_WITH.get(operation, ("",)))
        and spelt.search(code)
    )


@rule(
    "DR003",
    severity=Severity.CRITICAL,
    on=("lambda.function", "sfn.state_machine"),
    step=RecoveryStep.PROMOTE,
    controls=(
        "SOC 2 A1.2",
        "PCI DSS 7.2.5",
        "HIPAA 164.308(a)(7)(ii)(B)",
        "NIST CP-10",
        "NIST AC-6",
    ),
)
def missing_function_permissions(graph: Graph, resource: Resource) -> Iterator[str]:
    if resource.kind == "sfn.state_machine":
        yield from _machine(graph, resource)
        return
    code = code_of(graph, resource)
    if resource not in failover_functions(graph) and not _ROUTING & called(code):
        return
    allowed = rights_of(graph, resource)
    others = _for_other_parts(graph, resource) if code else []
    if others and not _chief(graph, resource, others):
        return  # functions that share a bundle each have permissions for their own part of it
    lacking = sorted(_lacking(code, allowed, graph, resource))
    if lacking:
        yield f"its role does not allow {', '.join(lacking)}"
        return
    done = called(code) if code else {item for item in PROMOTING if allowed.allow(item)}
    yield from _elsewhere(graph, resource, allowed, done)
    if allowed.missing and not _sure(allowed):
        msg = f"rights of {resource.label} depend on {allowed.missing}"
        raise Unresolved(msg)


def _machine(graph: Graph, machine: Resource) -> Iterator[str]:
    """Yield what the role of a state machine that promotes does not allow its tasks."""
    role = graph.link(machine, "role_arn", "iam.role")
    if role is None or not promotes(machine):
        return
    if "Credentials" in json.dumps(machine["definition"], default=str):
        return  # a task may run as another role
    allowed = rights(graph, role.resource)
    tasks = _TASK.findall(" ".join(strings(machine["definition"])))
    done = {
        CALLS[operation]
        for operation in (f"{name[0].upper()}{name[1:]}" for name in tasks)
        if operation in CALLS
    }
    lacking = sorted(action for action in done if allowed.allow(action) is False)
    if lacking:
        yield f"its role does not allow {', '.join(lacking)}"
        return
    yield from _elsewhere(graph, machine, allowed, done)


def _elsewhere(
    graph: Graph, resource: Resource, allowed: Rights, done: Collection[str]
) -> Iterator[str]:
    """Yield the actions that are allowed, but not on all that they are for."""
    if allowed.missing:
        return
    for action in sorted(done):
        named = allowed.named(action)
        if not named or None in named:
            continue
        if (kind := _kind_missed(action, named)) is not None:
            yield f"its role allows {action}, but on no {kind}"
            continue
        if fewest := _fewest_missed(graph, resource, action, named):
            alike = len({item.label for item in fewest}) < len(fewest)
            names = ", ".join(
                f"{item.label} in {item.region}" if alike else item.label for item in fewest
            )
            yield f"its role allows {action}, but not on {names}"


def _kind_missed(action: str, named: list[Value]) -> str | None:
    """Return the kind of resource that an action needs and that no statement may name."""
    patterns = [spelt(value) for value in named]
    if action not in _GLOBAL_MOVES or not all(isinstance(each, str) for each in patterns):
        return None
    for kind, what in (("global-cluster", "global cluster"), ("cluster", "member of one")):
        if not any(may_be_of_kind(str(pattern), "rds", kind) for pattern in patterns):
            return what
    return None


def _fewest_missed(
    graph: Graph, holder: Resource, action: str, named: list[Value]
) -> list[Resource]:
    """Return what an action is not allowed on, of the group that lacks the least.

    The groups that a statement refers to are asked first: of many, one is usually whole.
    """
    key = f"objects of {action} from {holder.region}"
    groups = graph.memoize(key, lambda: _objects(graph, action, holder.region))
    by_member: dict[str, list[list[Resource]]] = graph.memoize(
        f"{key} by member", lambda: _by_member(groups)
    )
    near = [
        group
        for name in named
        for link in graph.links(holder, name)
        for group in by_member.get(link.resource.id, ())
    ]
    fewest: list[Resource] | None = None
    for group in (*near, *groups):
        missed = [
            item for item in group if not any(may_cover(graph, holder, n, item) for n in named)
        ]
        if not missed:
            return []
        fewest = missed if fewest is None or len(missed) < len(fewest) else fewest
    return fewest or []


def _by_member(groups: list[list[Resource]]) -> dict[str, list[list[Resource]]]:
    found: dict[str, list[list[Resource]]] = {}
    for group in groups:
        for item in group:
            found.setdefault(item.id, []).append(group)
    return found


def _to_promote(clusters: list[Resource], region: str | None) -> list[Resource]:
    """Return the members that a failover moves the writer to: those beside who calls it."""
    beside = [cluster for cluster in clusters if cluster.region == region]
    return beside or clusters


def _objects(graph: Graph, action: str, region: str | None) -> list[list[Resource]]:
    """Return the groups of resources of which an action needs to be allowed on one.

    A global failover is authorised on the global cluster and on the member that it promotes.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
    """
    try:
        if action in _GLOBAL_MOVES:
            return [
                [item, *_to_promote(members(graph, item), region)]
                for item in graph.of("rds.global_cluster")
            ]
        if action == "rds:PromoteReadReplica":
            copies = graph.of("rds.instance")
            return [[item] for item in copies if item["replicate_source_db"] is not None]
        if action == "rds:PromoteReadReplicaDBCluster":
            copies = graph.of("rds.cluster")
            return [[item] for item in copies if item["replication_source_identifier"] is not None]
    except Unresolved:
        return []
    return []


def _sure(allowed: Rights) -> bool:
    return any(allowed.allow(action) for action in PROMOTING)


def _for_other_parts(graph: Graph, function: Resource) -> list[Resource]:
    """Return the functions that run another part of a function's bundle, by another handler."""
    alike = sharing(graph, function)
    handler = function["handler"]
    return graph.memoize(
        f"beside {alike[0].id} {handler}",
        lambda: [item for item in alike if item["handler"] != handler],
    )


def _chief(graph: Graph, function: Resource, others: list[Resource]) -> bool:
    """Return whether a function is the main one among those that share its bundle."""

    def weight(resource: Resource) -> tuple[int, int, str]:
        return graph.memoize(f"weight of {resource.id}", lambda: _weight(graph, resource))

    key = f"chief beside {sharing(graph, function)[0].id} {function['handler']}"
    return weight(function) > graph.memoize(key, lambda: max(map(weight, others)))


def _weight(graph: Graph, function: Resource) -> tuple[int, int, str]:
    """Return how much speaks for a function to be the main one of its bundle."""
    allowed = rights_of(graph, function)
    changed = sum(bool(allowed.allow(action)) for action in _CHANGES)
    return int(purposeful_name(function)), changed, function.id


def purposeful_name(resource: Resource) -> bool:
    """Return whether a function's name alone reveals its purpose."""
    name = resource["name"] if isinstance(resource["name"], str) else resource.name
    return bool(re.search(r"actuat|failover|promot", name, re.IGNORECASE))


def _by_other_parts(graph: Graph, function: Resource) -> frozenset[str]:
    """Return the actions that functions of other parts of a bundle may be allowed."""
    others = _for_other_parts(graph, function)
    return graph.memoize(
        f"allowed beside {sharing(graph, function)[0].id} {function['handler']}",
        lambda: frozenset(
            action
            for held in {
                id(each): each for each in (rights_of(graph, item) for item in others)
            }.values()
            for action in CALLS.values()
            if held.allow(action) is not False
        ),
    )


def _called_region(code: str, function: Resource) -> str | None:
    """Return the Region whose services code calls, or `None` if it may call any.

    That is its own, unless the code names another.
    """
    written = {match[1] for match in _CLIENT_REGION.finditer(code)}
    rest = _CLIENT_REGION.sub("", code)
    if "region" in rest.lower() or re.search(r"\b[a-z]{2}-[a-z]+-\d\b", rest) or len(written) > 1:
        return None
    return written.pop() if written else function.region


def _lacking(code: str, allowed: Rights, graph: Graph, function: Resource) -> set[str]:
    elsewhere = _by_other_parts(graph, function) if code else frozenset()
    region = _called_region(code, function)

    def nobody(action: str) -> bool:
        where = None if action.startswith(_GLOBAL) else region
        return action not in elsewhere and allowed.allow(action, where) is False

    if code:
        return {action for action in called(code) if nobody(action)}
    if not purposeful(graph, function) and not _sure(allowed):
        return set()
    if not graph.of("rds.global_cluster", "rds.cluster", "rds.instance"):
        return set()
    wanted = PROMOTING[:3] if graph.of("rds.global_cluster") else PROMOTING[3:5]
    moves = [item for item in wanted if not nobody(item)]
    if not moves and any(not nobody(item) for item in _BY_ANOTHER):
        return set()  # it starts what promotes
    if not moves:
        if _TELLS.search(f"{function.label} {function['name']}"):
            msg = f"the code of {function.label} is not shown, nor whether it moves the writer"
            raise Unresolved(msg)
        return {wanted[0]}
    if graph.of("rds.global_cluster") and nobody("rds:DescribeGlobalClusters"):
        return {"rds:DescribeGlobalClusters"}
    return set()
