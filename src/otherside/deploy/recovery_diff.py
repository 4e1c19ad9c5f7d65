"""What a planned change means for a recovery: what would be lost, weaker or slower afterwards.

Pulumi's own diff says which properties change. It does not say that the standby can no longer carry
all users, or that names would lead to a lost Region for five minutes longer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from otherside.core.topology import Side
from otherside.deploy.planned_step import PlannedStep


class Harm(StrEnum):
    """How a change makes a recovery worse."""

    LOST = "lost"
    """Something that a recovery needs is gone, or empty, afterwards."""
    WEAKER = "weaker"
    """A recovery can do less than before."""
    SLOWER = "slower"
    """A recovery takes longer than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryChange:
    """One thing that a recovery would miss after a change."""

    harm: Harm
    resource: str
    """The resource's name in the program, or several."""
    text: str
    """What is different, as a clause."""


GROUP = "aws:autoscaling/group:Group"
CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
NEEDED: Mapping[str, str] = {
    "aws:rds/globalCluster:GlobalCluster": "the replication of the database between the Regions",
    "aws:rds/cluster:Cluster": "a database cluster with its data",
    CLUSTER_INSTANCE: "a database instance that reads or takes over",
    "aws:dynamodb/table:Table": "a table with its items and its replicas",
    "aws:kms/key:Key": "a key, and with it everything that it encrypts",
    "aws:s3/bucket:Bucket": "a bucket with its objects",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": "the copying of objects",
    "aws:backup/vault:Vault": "a vault with its recovery points",
    "aws:backup/plan:Plan": "a plan by which backups are made and copied",
    "aws:backup/selection:Selection": "the choice of what is backed up",
    "aws:secretsmanager/secret:Secret": "a secret and its replica",
    "aws:route53/healthCheck:HealthCheck": "a health check that DNS fails over by",
    "aws:route53/record:Record": "a record that leads users",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "an alarm that sees a failure",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "an alarm that sees a failure",
    "aws:lambda/function:Function": "a function that decides or acts",
    "aws:scheduler/schedule:Schedule": "a schedule by which the orchestrator looks",
    "aws:cloudwatch/eventRule:EventRule": "a rule that wakes a function",
    "aws:cloudwatch/eventTarget:EventTarget": "what a rule wakes",
    "aws:autoscaling/group:Group": "the instances that serve users",
    "aws:lb/loadBalancer:LoadBalancer": "the address that users reach",
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": "the way between the networks",
}
"""Types that a recovery needs, and what goes with one of them."""

_GUARDS: Mapping[str, tuple[str, bool]] = {
    "deletionProtection": ("protection against deletion", True),
    "deletionProtectionEnabled": ("protection against deletion", True),
    "skipFinalSnapshot": ("a snapshot before deletion", False),
    "forceDestroy": ("protection against deletion with its content", False),
    "storageEncrypted": ("encryption", True),
    "copyTagsToSnapshot": ("tags on snapshots", True),
    "enableKeyRotation": ("rotation of the key", True),
}
"""Properties that guard something: what is off afterwards, and which value means that it is on."""
_SLOWER: Mapping[str, str] = {
    "ttl": "names are cached for",
    "requestInterval": "health is asked every",
    "failureThreshold": "failures until a health check fails:",
    "evaluationPeriods": "periods until an alarm fires:",
    "period": "the period of the alarm is",
}
_LESS: Mapping[str, str] = {
    "backupRetentionPeriod": "days of backups:",
    "maxSize": "instances at most:",
    "deletionWindowInDays": "days in which a deleted key comes back:",
    "recoveryWindowInDays": "days in which a deleted secret comes back:",
}
_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge")


def recovery_changes(
    steps: Sequence[PlannedStep], regions: Mapping[Side, str]
) -> list[RecoveryChange]:
    """Return what a recovery would miss after these steps, the worst first.

    `regions` has the Region of each side; where it is empty, the sides are not compared.
    """
    steps = _once(steps)
    found = [*_gone(steps), *_guards(steps), *_numbers(steps), *_smaller_standby(steps, regions)]
    order = list(Harm)
    return sorted(found, key=lambda change: (order.index(change.harm), change.resource))


def _once(steps: Sequence[PlannedStep]) -> list[PlannedStep]:
    """Return one step for each resource: a replacement is announced as three."""
    found: dict[str, PlannedStep] = {}
    for step in steps:
        if step.urn not in found or step.operation == "replace":
            found[step.urn] = step
    return list(found.values())


def _gone(steps: Iterable[PlannedStep]) -> Iterator[RecoveryChange]:
    """Find what goes, or begins anew and empty."""
    for step in steps:
        what = NEEDED.get(step.type)
        if what is not None and step.replaces:
            yield _change(Harm.LOST, step, f"another takes the place of {what}")
        elif what is not None and step.removes:
            yield _change(Harm.LOST, step, f"{what} goes")


def _guards(steps: Iterable[PlannedStep]) -> Iterator[RecoveryChange]:
    for step in _updated(steps):
        for name, (what, on) in _GUARDS.items():
            if _is(step.old, name, on=on) and not _is(step.new, name, on=on):
                yield _change(Harm.WEAKER, step, f"{what} is off")


def _is(inputs: Mapping[str, Any], name: str, *, on: bool) -> bool:
    """Return whether a guard is on; what is not set is false to the provider."""
    return bool(inputs.get(name, False)) is on


def _numbers(steps: Iterable[PlannedStep]) -> Iterator[RecoveryChange]:
    for step in _updated(steps):
        for harm, names, grows in ((Harm.SLOWER, _SLOWER, 1), (Harm.WEAKER, _LESS, -1)):
            for name, words in names.items():
                old, new = _number(step.old.get(name)), _number(step.new.get(name))
                if old is not None and new is not None and (new - old) * grows > 0:
                    yield _change(harm, step, f"{words} {new:g} instead of {old:g}")


def _smaller_standby(
    steps: Sequence[PlannedStep], regions: Mapping[Side, str]
) -> Iterator[RecoveryChange]:
    """Find a standby that could not carry everyone afterwards, and could before."""
    if set(regions) != set(Side):
        return
    for measure, unit in ((_instances, "instances"), (_database_size, "size of its database")):
        before = {side: measure(steps, region, before=True) for side, region in regions.items()}
        after = {side: measure(steps, region, before=False) for side, region in regions.items()}
        shorter = after[Side.STANDBY] < after[Side.PRIMARY]
        if shorter and not (before[Side.STANDBY] < before[Side.PRIMARY]):
            text = f"this makes the standby smaller than the primary: {unit} {{}} there, {{}} here"
            sizes = after[Side.STANDBY], after[Side.PRIMARY]
            shown = [f"{size:g}" if unit == "instances" else _size_name(size) for size in sizes]
            yield RecoveryChange(
                harm=Harm.WEAKER, resource=regions[Side.STANDBY], text=text.format(*shown)
            )


def _instances(steps: Iterable[PlannedStep], region: str, *, before: bool) -> float:
    """Return how many instances of a Region's groups may serve users."""
    groups = [step for step in steps if step.type == GROUP and step.region == region]
    return sum(_number((step.old if before else step.new).get("maxSize")) or 0.0 for step in groups)


def _database_size(steps: Iterable[PlannedStep], region: str, *, before: bool) -> float:
    """Return the largest database instance of a Region, as a rank."""
    there = [step for step in steps if step.type == CLUSTER_INSTANCE and step.region == region]
    classes = [(step.old if before else step.new).get("instanceClass") for step in there]
    return max((_rank(text) for text in classes if isinstance(text, str)), default=0.0)


def _rank(instance_class: str) -> float:
    """Return the size in a class such as db.r7g.2xlarge as a rank; 0 if it is unknown."""
    size = instance_class.rpartition(".")[2]
    if size in _SIZES:
        return float(_SIZES.index(size) + 1)
    times = size.removesuffix("xlarge")
    return _SIZES.index("xlarge") + float(times) if times.isdigit() else 0.0


def _size_name(rank: float) -> str:
    if rank <= len(_SIZES):
        return _SIZES[int(rank) - 1] if rank else "unknown"
    return f"{rank - _SIZES.index('xlarge'):g}xlarge"


def _updated(steps: Iterable[PlannedStep]) -> Iterator[PlannedStep]:
    return (step for step in steps if step.old and step.new and step.type in NEEDED)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _change(harm: Harm, step: PlannedStep, text: str) -> RecoveryChange:
    return RecoveryChange(harm=harm, resource=step.name, text=text)
