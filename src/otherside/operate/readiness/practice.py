"""Readiness by practice: whether it runs, was exercised, is backed up, and is what was deployed."""

import datetime as dt
import itertools

from otherside.core.topology import FailoverMode, Side
from otherside.core.wire_contract import (
    FAILOVER_ACTIVE,
    METRIC_DIMENSION,
    METRIC_NAMESPACE,
    actuator_name,
)
from otherside.failover.decision.state import Phase
from otherside.failover.handlers import policy_of
from otherside.operate.next_step import in_the_way
from otherside.operate.overview import newest_backup
from otherside.operate.readiness.model import (
    Judged,
    Readiness,
    ReadinessCheck,
    StackTarget,
    days,
    judged,
    not_ready,
)

NO_TICK = "the decider has logged no tick"
TICK_MAX_S = 150.0
"""Two ticks and a half."""
BACKUP_MAX_S = 2 * 86_400.0
RESTORE_MAX_S = 8 * 86_400.0
"""A weekly test, and a day."""
LATCH_S = 600.0


def _ticks(target: StackTarget) -> Judged:
    tick = target.tick.value
    if target.tick.missing:
        return Readiness.UNKNOWN, target.tick.missing
    if tick is None:
        return not_ready(f"{NO_TICK} in the last minutes")
    age_s = target.now_s - tick.at_s
    return judged(age_s <= TICK_MAX_S, f"the last tick was {age_s:.0f} s ago")


def _detectors(target: StackTarget) -> Judged:
    tick = target.tick.value
    if tick is None:
        return Readiness.UNKNOWN, target.tick.missing or NO_TICK
    dark = [name for name, value in tick.signals.items() if value == "unknown"]
    problems = [*(f"{name} is unknown" for name in dark), *tick.unreadable, *tick.failed]
    found = "; ".join(problems) or f"all {len(tick.signals)} signals are read"
    return judged(not problems, found)


def _unhindered(target: StackTarget) -> Judged:
    tick = target.tick.value
    policy = policy_of(target.settings)
    waits = in_the_way(target.state, policy, target.now_s, tick.obstacle if tick else None)
    if policy.mode is not FailoverMode.AUTO:
        waits = [text for text in waits if "mode is" not in text]  # chosen, and not forgotten
    if not waits and tick is None:  # what forbids a failover is in the tick
        return Readiness.UNKNOWN, target.tick.missing or NO_TICK
    phase = target.state.phase
    if phase not in {Phase.STEADY, Phase.FAILBACK_READY}:
        waits = [f"the phase is {phase}: {target.state.reason}", *waits]
    return judged(not waits, "; ".join(waits) or "nothing keeps it from failing over")


def _latch(target: StackTarget) -> Judged:
    ends = dt.datetime.fromtimestamp(target.now_s, dt.UTC)
    found = target.deployment.client("cloudwatch", target.deployment.standby).get_metric_statistics(
        Namespace=METRIC_NAMESPACE,
        MetricName=FAILOVER_ACTIVE,
        Dimensions=[{"Name": METRIC_DIMENSION, "Value": target.deployment.application}],
        StartTime=ends - dt.timedelta(seconds=LATCH_S),
        EndTime=ends,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    if not found:
        return not_ready("the latch's metric has no value of the last minutes")
    newest = max(found, key=lambda point: point["Timestamp"])
    held = newest["Maximum"] > 0
    good = held is bool(target.state.latched)
    return judged(good, f"it says that users are {'held' if held else 'not held'} on the standby")


def _exercised(target: StackTarget) -> Judged:
    """Judge that the writer was moved and users were led since the code last changed."""
    found = target.deployment.client(
        "lambda", target.deployment.standby
    ).get_function_configuration(FunctionName=target.deployment.decider())
    changed = dt.datetime.strptime(found["LastModified"][:19], "%Y-%m-%dT%H:%M:%S").replace(
        tzinfo=dt.UTC
    )
    changed_s, moved_s = changed.timestamp(), target.state.moved_s
    if moved_s <= 0:
        return not_ready("the writer was never moved: neither a game day nor a switchover")
    said = f"the writer was last moved {days(target.now_s - moved_s)} ago"
    if moved_s < changed_s:
        return not_ready(f"{said}, before the functions last changed")
    return Readiness.READY, said


def _lag(target: StackTarget) -> Judged:
    tick = target.tick.value
    if tick is None or tick.lag_s is None:
        unsaid = NO_TICK if tick is None else "the decider's last tick could not tell"
        why = target.tick.missing or unsaid
        return Readiness.UNKNOWN, why
    most_s = float(target.settings.loss_max_s)
    found = f"a failover now would lose {tick.lag_s:.1f} s; {most_s:g} s need no approval"
    return judged(tick.lag_s <= most_s, found)


def _backup(target: StackTarget) -> Judged:
    newest = newest_backup(target.deployment, Side.STANDBY)
    if newest is None:
        return not_ready("the standby's vault is empty")
    age_s = target.now_s - newest.at_s
    return judged(age_s <= BACKUP_MAX_S, f"the newest copy is {age_s / 3600:.0f} h old")


def _restore(target: StackTarget) -> Judged:
    """Judge the newest restore in the standby's Region, by the test's plan or by a person."""
    client = target.deployment.client("backup", target.deployment.standby)
    pages = client.get_paginator("list_restore_jobs").paginate(ByStatus="COMPLETED")
    jobs = [job for page in pages for job in page["RestoreJobs"]]
    newest_s = max((job["CompletionDate"].timestamp() for job in jobs), default=None)
    if newest_s is None:
        return not_ready("no restore has ever completed in the standby's Region")
    age_s = target.now_s - newest_s
    return judged(age_s <= RESTORE_MAX_S, f"a backup was last restored {days(age_s)} ago")


def _drift(target: StackTarget) -> Judged:
    """Judge that both functions run one code and one configuration."""
    client = target.deployment.client("lambda", target.deployment.standby)
    names = (target.deployment.decider(), actuator_name(target.deployment.application))
    known = [client.get_function_configuration(FunctionName=name) for name in names]
    codes = {item["CodeSha256"] for item in known}
    settings = [item["Environment"]["Variables"] for item in known]
    apart = sorted(
        key
        for key in set(itertools.chain(*settings))
        if len({given.get(key) for given in settings}) > 1
    )
    mode, planned = target.settings.mode, target.deployment.topology.failover.mode
    if len(codes) > 1:
        return not_ready("the decider and the actuator run different code")
    if apart:
        return not_ready(f"the decider and the actuator differ in {', '.join(apart)}")
    if mode != planned:
        return not_ready(f"the mode is {mode}, the configuration says {planned}")
    return Readiness.READY, f"both run {target.settings.code}"


CHECKS: tuple[ReadinessCheck[StackTarget], ...] = (
    ReadinessCheck(
        code="decider-runs",
        title="The decider runs every minute",
        why="Without its ticks nobody notices that a Region is lost.",
        remedy="Read the function's log and its schedule, and deploy the program again.",
        ask=_ticks,
    ),
    ReadinessCheck(
        code="signals",
        title="Every signal can be read, and every action works",
        why="A dead detector looks like calm.",
        remedy="Repair what is named: `otherside status` shows each signal with its source.",
        ask=_detectors,
    ),
    ReadinessCheck(
        code="unhindered",
        title="Nothing keeps the orchestrator from failing over",
        why="It would wait for a person, or do nothing at all.",
        remedy="Remove the obstacle that is named; `otherside status` shows it.",
        ask=_unhindered,
    ),
    ReadinessCheck(
        code="latch",
        title="The latch's metric is published and right",
        why="Route 53 follows it: users would be led to the wrong side.",
        remedy="See that the decider may publish the metric; it does so each minute.",
        ask=_latch,
    ),
    ReadinessCheck(
        code="exercised",
        title="The recovery was exercised since the functions last changed",
        why="What was never run does not work on the day.",
        remedy="Run `otherside drill`, then a game day: `otherside order switchover`, and back.",
        ask=_exercised,
    ),
    ReadinessCheck(
        code="expected-loss",
        title="A failover now would lose no more than needs no approval",
        why="The orchestrator would wait for a person to accept the loss.",
        remedy="Find what holds replication up: long transactions, a small standby, the network.",
        ask=_lag,
    ),
    ReadinessCheck(
        code="backup-copy",
        title="The standby has a recent copy of the backups",
        why="Replication carries mistakes too; only an older copy undoes them.",
        remedy="Read the failed copy job: vault, key and role of both sides.",
        ask=_backup,
    ),
    ReadinessCheck(
        code="restore-test",
        title="A backup was restored in the standby's Region in the last week",
        why="A backup that was never restored is a hope.",
        remedy="Schedule restore tests (`backup.restore_test_schedule`), and read the failed job.",
        ask=_restore,
    ),
    ReadinessCheck(
        code="drift",
        title="The functions run one code, with the settings of the configuration",
        why="A change by hand or half a deployment decides otherwise than it was tested.",
        remedy="Deploy the program again.",
        ask=_drift,
    ),
)
