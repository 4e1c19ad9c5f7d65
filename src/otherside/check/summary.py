"""Summarize which recovery steps a stack can perform, and its best-case RTO and RPO.

No template holds the times of AWS's own services. They are modelled on AWS's published figures and
labelled as modelled.
"""

from collections.abc import Callable
from dataclasses import dataclass

from otherside.check.analysis.backup_plans import destinations
from otherside.check.analysis.databases import instances, is_secondary
from otherside.check.analysis.dns import decides, failover_records
from otherside.check.analysis.events import is_disabled
from otherside.check.analysis.functions import managed_orchestrators, promoters
from otherside.check.analysis.health_check_targets import detection_s
from otherside.check.check_result import CheckResult
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved
from otherside.check.rule import RecoveryStep, Severity

TICK_S = 60
"""An EventBridge schedule runs at most once a minute."""
ALIAS_S = 60
"""TTL of an alias to a load balancer; Route 53's developer guide."""
PROMOTION_S = 60
"""AWS: "typically a minute"; the user guide promises minutes."""
NEVER = "no"
CAN = "yes"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Whether the stack can perform one step, and what performs it or why not."""

    step: RecoveryStep
    able: str
    """`yes`, `no` or `unknown`."""
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The recovery steps, and the best-case RTO and RPO."""

    steps: tuple[Ability, ...]
    rto: str
    rpo: str


def summarize(graph: Graph, result: CheckResult) -> Summary:
    """Return which steps the stack can perform, minus those that serious findings break."""
    steps = tuple(_step(step, look, graph, result) for step, look in _LOOKS.items())
    return Summary(
        steps=steps,
        rto=_told(lambda: _rto(graph, steps)),
        rpo=_told(lambda: _rpo(graph)),
    )


def _told(look: Callable[[], str]) -> str:
    try:
        return look()
    except Unresolved as undecided:
        return f"unknown: {undecided}"


def _step(
    step: RecoveryStep, look: Callable[[Graph], str], graph: Graph, result: CheckResult
) -> Ability:
    spoiled = [
        finding
        for finding in result.findings
        if finding.rule.step is step and finding.severity.rank >= Severity.HIGH.rank
    ]
    try:
        by = look(graph)
    except Unresolved as undecided:
        return Ability(step=step, able=UNKNOWN, by=str(undecided))
    if not by:
        return Ability(step=step, able=NEVER, by="nothing in what was read does it")
    if spoiled:
        codes = ", ".join(sorted({finding.rule.code for finding in spoiled}))
        return Ability(step=step, able=NEVER, by=f"{by}, but {codes}")
    return Ability(step=step, able=CAN, by=by)


def _detect(graph: Graph) -> str:
    if failover_records(graph, "PRIMARY"):
        return "health checks of DNS"
    if graph.of("globalaccelerator.accelerator"):
        return "Global Accelerator"
    rules = [rule for rule in graph.of("events.rule") if rule["event_pattern"] is not None]
    acting = [alarm for alarm in graph.of("cloudwatch.alarm") if alarm["alarm_actions"]]
    return "alarms and events" if rules or acting or graph.of("arc.plan") else ""


def _decide(graph: Graph) -> str:
    others = managed_orchestrators(graph)
    if others:
        return others[0].label
    able = promoters(graph)
    if not able:
        return ""
    woken = [rule for rule in graph.of("events.rule") if not is_disabled(rule)]
    scheduled = [
        schedule for schedule in graph.of("scheduler.schedule") if schedule["state"] != "DISABLED"
    ]
    return able[0].label if woken or scheduled or _alarmed(graph, able) else ""


_ALARMS = frozenset({"sns.amazonaws.com", "lambda.alarms.cloudwatch.amazonaws.com"})
"""Who invokes a function on an alarm: a topic that it is sent to, or CloudWatch itself.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html"""


def _alarmed(graph: Graph, able: list[Resource]) -> bool:
    """Return whether an alarm wakes one of the functions."""
    if not any(alarm["alarm_actions"] for alarm in graph.of(*_ALARM_KINDS)):
        return False
    wanted = {function.id for function in able}
    return any(
        link.resource.id in wanted
        for permission in graph.of("lambda.permission")
        if permission["principal"] in _ALARMS
        for link in graph.links(permission, permission["function_name"], "lambda.function")
    )


_ALARM_KINDS = ("cloudwatch.alarm", "cloudwatch.composite_alarm")


def _promote(graph: Graph) -> str:
    for cluster in graph.of("rds.cluster"):
        if is_secondary(graph, cluster) and instances(graph, cluster):
            return f"{cluster.label} in {cluster.region}"
    for replica in graph.of("rds.instance", "rds.cluster"):
        path = (
            "replicate_source_db"
            if replica.kind == "rds.instance"
            else "replication_source_identifier"
        )
        if replica[path] is not None:
            return f"{replica.label} in {replica.region or 'a Region that is not known'}"
    if graph.of("dynamodb.table_replica") or any(
        table["replica"] for table in graph.of("dynamodb.table")
    ):
        return "replicas of tables, which need no promotion"
    return ""


def _route(graph: Graph) -> str:
    if failover_records(graph, "SECONDARY"):
        return "failover records"
    for path in ("latency_routing_policy", "weighted_routing_policy", "geolocation_routing_policy"):
        if any(record[path] is not None for record in graph.of("route53.record")):
            return path.replace("_", " ")
    others = graph.of(
        "arc.routing_control", "globalaccelerator.accelerator", "cloudfront.distribution"
    )
    return others[0].label if others else ""


def _restore(graph: Graph) -> str:
    if any(destinations(plan) for plan in graph.of("backup.plan")):
        return "backups that are copied to the other Region"
    if graph.of("rds.backup_replication"):
        return "automated backups that are replicated"
    return ""


_LOOKS: dict[RecoveryStep, Callable[[Graph], str]] = {
    RecoveryStep.DETECT: _detect,
    RecoveryStep.DECIDE: _decide,
    RecoveryStep.PROMOTE: _promote,
    RecoveryStep.ROUTE: _route,
    RecoveryStep.RESTORE: _restore,
}


def _rto(graph: Graph, steps: tuple[Ability, ...]) -> str:
    by_hand = [step.step.value for step in steps[:4] if step.able == NEVER]
    if by_hand:
        return f"as long as people need: no {', no '.join(by_hand)} by itself"
    found = [
        detection_s(health_check)
        for health_check in graph.of("route53.health_check")
        if decides(graph, health_check)
    ]
    ttls = [
        failover_record.known("ttl") or ALIAS_S
        for failover_record in failover_records(graph, "PRIMARY")
    ]
    detect, ttl = min(found, default=TICK_S), max(ttls, default=ALIAS_S)
    reads, writes = detect + int(ttl), max(detect, TICK_S) + PROMOTION_S
    return (
        f"reads {reads} s (detection {detect} s, DNS {ttl} s), writes {writes} s "
        f"(decision {max(detect, TICK_S)} s, promotion {PROMOTION_S} s, modelled)"
    )


def _rpo(graph: Graph) -> str:
    found = []
    if any(is_member for is_member in _members(graph)):
        found.append("Aurora: its lag, typically under a second (modelled)")
    elif _promote_by_replica(graph):
        found.append("RDS: its replicas' lag, seconds to minutes (modelled)")
    tables = [table for table in graph.of("dynamodb.table") if isinstance(table["replica"], list)]
    if not tables and graph.of("dynamodb.table_replica"):
        found.append("DynamoDB: about a second (modelled)")
    if tables:
        strong = all(
            any(each.get("consistency_mode") == "STRONG" for each in table["replica"])
            for table in tables
        )
        found.append("DynamoDB: 0" if strong else "DynamoDB: about a second (modelled)")
    if graph.of("s3.replication"):
        found.append("S3: minutes, 15 where replication time is controlled")
    return "; ".join(found) or "as old as the newest backup on the other side"


def _members(graph: Graph) -> list[object]:
    return [
        cluster
        for cluster in graph.of("rds.cluster")
        if cluster["global_cluster_identifier"] is not None
    ]


def _promote_by_replica(graph: Graph) -> bool:
    return any(instance["replicate_source_db"] is not None for instance in graph.of("rds.instance"))
