"""Everything about a deployed stack at one moment, each part with the reason if it is unknown."""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from otherside.core.topology import Side
from otherside.core.wire_contract import TRAFFIC_STATES, OrchestratorSettings
from otherside.failover.decision.observation import Signals
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import State
from otherside.failover.handlers import policy_of
from otherside.failover.operator import Operator
from otherside.failover.ports import UnavailableError
from otherside.operate.deployment import Deployment
from otherside.operate.next_step import in_the_way, next_step
from otherside.operate.reading import Fact, read, read_all

LOOKED_S = 300.0
"""How far back the decider's log is read for its last tick."""
LAG_S = 3600.0
LAG_PERIOD_S = 60
SIGNALS: Mapping[str, str] = {
    "standby_canary": "a write through the public name, from the standby's Region",
    "witness_canary": "the same write, from the witness's Region",
    "heartbeat": "the writer's heartbeat, as replicated to the standby",
    "app_pulse": "the application, as the writer's side reports it",
    "write_pulse": "database writes, as the writer's side reports them",
    "dns_health": "Route 53's health checkers, read through DNS",
    "control_plane": "RDS in the primary's Region",
    "self_test": "whether the orchestrator can see anything at all",
    "standby_app": "reads by the standby's application",
}
"""The source of each signal, for people."""
assert set(SIGNALS) == set(Signals.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeciderTick:
    """The decider's last tick, from its log."""

    at_s: float
    phase: str
    verdict: str
    reason: str
    obstacle: str | None
    """What would forbid a failover, whoever approved it."""
    signals: Mapping[str, str]
    """`good`, `bad` or `unknown`, by signal."""
    failed: tuple[str, ...]
    unreadable: tuple[str, ...]
    lag_s: float | None
    """What a failover at that moment would have lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseMember:
    """One side's cluster, as RDS in that Region describes it."""

    region: str
    status: str
    instances: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseNow:
    """The global database, as RDS describes it."""

    writer: str | None
    """The Region of the writer."""
    moving_to: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityNow:
    """One side's Auto Scaling group."""

    in_service: int
    desired: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupCopy:
    """The newest recovery point in a side's vault."""

    at_s: float
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One moment of a deployed stack."""

    application: str
    at_s: float
    regions: Mapping[Side, str]
    region: str
    """The Region whose copy of the state table answered."""
    state: State
    next_step: str
    in_the_way: Sequence[str]
    """What keeps the orchestrator from failing over by itself; empty if nothing does."""
    lease: Mapping[str, Any] | None
    attempts: Sequence[Mapping[str, Any]]
    pulses: Mapping[str, Mapping[str, Any]]
    revisions: Sequence[Mapping[str, Any]]
    tick: Fact[DeciderTick | None]
    database: Fact[DatabaseNow]
    members: Mapping[Side, Fact[DatabaseMember]]
    lag_history_s: Fact[list[float]]
    """Aurora's replication lag, one value a minute, oldest first."""
    users_on: Fact[Side]
    """The side that DNS prefers, as seen from here."""
    addresses: Fact[list[str]]
    capacity: Mapping[Side, Fact[CapacityNow]]
    backups: Mapping[Side, Fact[BackupCopy]] = field(default_factory=dict)

    @property
    def unread(self) -> list[str]:
        """Everything that could not be read, each with the call and the error."""
        facts: list[Fact[Any]] = [self.tick, self.database, self.lag_history_s, self.users_on]
        facts += [self.addresses, *self.members.values()]
        facts += [*self.capacity.values(), *self.backups.values()]
        return [fact.missing for fact in facts if fact.missing]


def overview(
    deployment: Deployment, operator: Operator, region: str, state: State, last: int
) -> Overview:
    """Return everything about a deployed stack at this moment.

    Raises:
        UnavailableError: If the state table does not answer; whatever else does not is in `unread`.
    """
    store = operator.store
    lease = store.lease()
    settings = read("the decider's settings", deployment.settings)
    facts = read_all(_questions(deployment, settings.value, operator.clock.now_s()))
    pulses = store.pulses()
    now_s = operator.clock.now_s()  # now that everything is read: no age is negative
    tick: Fact[DeciderTick | None] = facts["the decider's log"]
    policy = policy_of(settings.value) if settings.value else _planned(deployment)
    return Overview(
        application=deployment.application,
        at_s=now_s,
        regions={side: deployment.region(side) for side in Side},
        region=region,
        state=state,
        next_step=next_step(state, policy, now_s, store.command()),
        in_the_way=in_the_way(state, policy, now_s, tick.value.obstacle if tick.value else None),
        lease=_plain(lease[1]) if lease else None,
        attempts=[_plain(attempt) for attempt in store.attempts(state.epoch)],
        pulses={
            place: {**_plain(pulse), "age_s": round(now_s - pulse.at_s, 1)}
            for place, pulse in pulses.items()
        },
        revisions=store.last_revisions(last),
        tick=tick,
        database=_of(facts, "the global database", settings),
        members={side: _of(facts, f"the {side}'s cluster", settings) for side in Side},
        lag_history_s=_of(facts, "the replication lag", settings),
        users_on=_of(facts, "the side that DNS prefers", settings),
        addresses=facts["the public name"],
        capacity={side: facts[f"the {side}'s capacity"] for side in Side},
        backups={side: facts[f"the {side}'s vault"] for side in Side},
    )


def _of(
    facts: Mapping[str, Fact[Any]], name: str, settings: Fact[OrchestratorSettings]
) -> Fact[Any]:
    """Return a fact whose question needs the settings, or why those are missing."""
    return facts.get(name) or Fact(missing=f"{name}: {settings.missing}")


def _planned(deployment: Deployment) -> FailoverPolicy:
    failover = deployment.topology.failover
    return FailoverPolicy(
        mode=failover.mode,
        loss_auto_s=failover.loss_max_s,
        stable_s=failover.stable_s,
        approvers=failover.approvers,
    )


def _plain(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass of ours
    return {name: getattr(value, name) for name in value.__slots__}


def _questions(
    deployment: Deployment, settings: OrchestratorSettings | None, now_s: float
) -> dict[str, Callable[[], Any]]:
    """Return all questions to AWS, by what they are about."""
    asked: dict[str, Callable[[], Any]] = {
        "the decider's log": partial(last_tick, deployment, now_s),
        "the public name": partial(deployment.resolve, deployment.topology.traffic.domain),
    }
    for side in Side:
        asked[f"the {side}'s capacity"] = partial(_capacity, deployment, side)
        asked[f"the {side}'s vault"] = partial(newest_backup, deployment, side)
    if settings is None:
        return asked
    arns = {Side.PRIMARY: settings.primary_cluster_arn, Side.STANDBY: settings.standby_cluster_arn}
    asked |= {
        "the global database": partial(_database, deployment, settings),
        "the replication lag": partial(_lag, deployment, arns, now_s),
        "the side that DNS prefers": partial(_users_on, deployment, settings),
    }
    for side, arn in arns.items():
        asked[f"the {side}'s cluster"] = partial(_member, deployment, side, arn)
    return asked


def last_tick(deployment: Deployment, now_s: float) -> DeciderTick | None:
    """Return the decider's last tick; `None` if it has not logged one lately."""
    logs = deployment.client("logs", deployment.standby)
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{deployment.decider()}",
        startTime=int((now_s - LOOKED_S) * 1000),
    )
    found = [event for page in pages for event in page["events"]]
    for event in sorted(found, key=lambda event: -int(event["timestamp"])):
        if (tick := _tick(str(event["message"]), int(event["timestamp"]) / 1000)) is not None:
            return tick
    return None


def _tick(line: str, logged_s: float) -> DeciderTick | None:
    if not line.startswith("{"):
        return None
    try:
        known = json.loads(line)
    except ValueError:
        return None
    if "phase" not in known:
        return None
    bad, unknown = set(known["bad"]), set(known["unknown"])
    return DeciderTick(
        at_s=known.get("_aws", {}).get("Timestamp", logged_s * 1000) / 1000,
        phase=known["phase"],
        verdict=known["verdict"],
        reason=known["reason"],
        obstacle=known.get("obstacle"),
        signals={
            name: "bad" if name in bad else "unknown" if name in unknown else "good"
            for name in SIGNALS
        },
        failed=tuple(known["failed"]),
        unreadable=tuple(known["unreadable"]),
        lag_s=known["loss_now_s"],
    )


def _database(deployment: Deployment, settings: OrchestratorSettings) -> DatabaseNow:
    found = deployment.client("rds", deployment.standby).describe_global_clusters(
        GlobalClusterIdentifier=settings.global_cluster
    )["GlobalClusters"][0]
    writers = [
        item["DBClusterArn"].split(":")[3]
        for item in found["GlobalClusterMembers"]
        if item.get("IsWriter")
    ]
    target = (found.get("FailoverState") or {}).get("ToDbClusterArn")
    return DatabaseNow(
        writer=writers[0] if writers else None,
        moving_to=target.split(":")[3] if target else None,
        status=str(found.get("Status", "")),
    )


def _member(deployment: Deployment, side: Side, arn: str) -> DatabaseMember:
    region = deployment.region(side)
    found = deployment.client("rds", region).describe_db_clusters(
        DBClusterIdentifier=arn.rpartition(":")[2]
    )["DBClusters"][0]
    return DatabaseMember(
        region=region,
        status=str(found["Status"]),
        instances=len(found.get("DBClusterMembers", ())),
        version=str(found["EngineVersion"]),
    )


def _lag(deployment: Deployment, arns: Mapping[Side, str], now_s: float) -> list[float]:
    """Return Aurora's replication lag of the last hour: only the side that follows has it.

    Raises:
        UnavailableError: If no side has any, and one of them could not be asked.
    """
    found = read_all(
        {
            f"the lag in {side}": partial(_lag_on, deployment, side, arn.rpartition(":")[2], now_s)
            for side, arn in arns.items()
        }
    )
    points: dict[float, float] = next((fact.value for fact in found.values() if fact.value), {})
    missing = [fact.missing for fact in found.values() if fact.missing]
    if not points and missing:
        raise UnavailableError("; ".join(missing))
    return [points[at_s] for at_s in sorted(points)]


def _lag_on(deployment: Deployment, side: Side, cluster: str, now_s: float) -> dict[float, float]:
    ends = dt.datetime.fromtimestamp(now_s, dt.UTC)
    found = deployment.client("cloudwatch", deployment.region(side)).get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName="AuroraGlobalDBReplicationLag",
        Dimensions=[
            {"Name": "DBClusterIdentifier", "Value": cluster},
            {"Name": "SourceRegion", "Value": deployment.region(side.other)},
        ],
        StartTime=ends - dt.timedelta(seconds=LAG_S),
        EndTime=ends,
        Period=LAG_PERIOD_S,
        Statistics=["Maximum"],
    )
    return {
        point["Timestamp"].timestamp(): float(point["Maximum"]) / 1000
        for point in found["Datapoints"]
    }


def _users_on(deployment: Deployment, settings: OrchestratorSettings) -> Side:
    """Return the side that DNS prefers.

    Raises:
        UnavailableError: If the name that tells resolves to neither side's address.
    """
    addresses = deployment.resolve(settings.traffic_state_name)
    for side, address in TRAFFIC_STATES.items():
        if address in addresses:
            return side
    shown = ", ".join(addresses) or "nothing"
    msg = f"the side that DNS prefers: {settings.traffic_state_name} resolves to {shown}"
    raise UnavailableError(msg)


def _capacity(deployment: Deployment, side: Side) -> CapacityNow:
    """Return the size of a side's group, which is found by its name's prefix.

    Raises:
        UnavailableError: If there is none.
    """
    client = deployment.client("autoscaling", deployment.region(side))
    pages = client.get_paginator("describe_auto_scaling_groups").paginate()
    for page in pages:
        for group in page["AutoScalingGroups"]:
            if str(group["AutoScalingGroupName"]).startswith(f"{deployment.application}-{side}"):
                working = [
                    item for item in group["Instances"] if item["LifecycleState"] == "InService"
                ]
                return CapacityNow(
                    in_service=len(working),
                    desired=int(group["DesiredCapacity"]),
                    maximum=int(group["MaxSize"]),
                )
    msg = (
        f"the {side}'s capacity: no Auto Scaling group begins with {deployment.application}-{side}"
    )
    raise UnavailableError(msg)


def newest_backup(deployment: Deployment, side: Side) -> BackupCopy | None:
    """Return the newest completed recovery point of a side's vault; `None` if it is empty."""
    client = deployment.client("backup", deployment.region(side))
    found: list[BackupCopy] = []
    more: dict[str, str] = {}
    while True:
        page = client.list_recovery_points_by_backup_vault(
            BackupVaultName=f"{deployment.application}-{deployment.region(side)}", **more
        )
        found += [
            BackupCopy(at_s=point["CreationDate"].timestamp(), resource=point["ResourceArn"])
            for point in page["RecoveryPoints"]
            if point.get("Status") == "COMPLETED"
        ]
        if not page.get("NextToken"):
            return max(found, key=lambda copy: copy.at_s, default=None)
        more = {"NextToken": page["NextToken"]}
