"""The contract between the stack and the functions that it deploys: both ends in one file.

The stack writes these names into environments, tables, metrics and rules; the functions read them.
If only one end changes a name, a detector dies silently. So neither end spells a name out itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Self

from otherside.core.topology import Side

METRIC_NAMESPACE = "Otherside"
"""CloudWatch namespace of every metric that the orchestrator publishes."""
METRIC_DIMENSION = "Application"
"""The only dimension of those metrics; its value is `Topology.prefix`."""
FAILOVER_ACTIVE = "FailoverActive"
"""1 while users belong on the standby side, else 0. Route 53 uses it to hold DNS there."""
HEARTBEAT = "Heartbeat"
"""1 for each tick of the decider. An alarm pages when it is missing."""

WISHES_FAILED = "WishesFailed"
"""How many of one tick's actions failed."""

DECIDER_HANDLER = "otherside.failover.handlers.decide"
ACTUATOR_HANDLER = "otherside.failover.handlers.act"
WITNESS_HANDLER = "otherside.failover.handlers.watch"
ROTATION_HANDLER = "otherside.failover.rotation.rotate"
RUNTIME = "python3.13"
"""The Lambda runtime of all four."""

TICK = "tick"
"""Key in the schedule's event, with the value `true`; events from elsewhere lack it."""

STATE_PARTITION = "application"
"""Partition key of the state table; its value is `Topology.prefix`."""
STATE_SORT = "revision"
"""Sort key of the state table: `rev#` and ten digits for revisions, a plain word otherwise."""


class ItemType(StrEnum):
    """What the state table holds besides revisions, each in its own partition."""

    LEASE = "lease"
    """Which side may acknowledge writes. The lease agents read it."""
    PULSE = "pulse"
    """The health that each place reports. The lease agents and the witness write it."""
    COMMAND = "command"
    """The newest order by a person."""
    CLAIM = "claim"
    """The attempts to move the writer that were carried out."""
    NOTICE = "notice"
    """The revision up to which people have been notified."""

    def of(self, application: str) -> str:
        """Return the partition key: `orders-prod/lease`."""
        return f"{application}/{self}"


_REVISION = "rev#"


def revision_sort(revision: int) -> str:
    """Return the sort key of a revision: `rev#0000000007`."""
    return f"{_REVISION}{revision:010d}"


def revision_of(sort: str) -> int:
    """Return the revision that a sort key names."""
    return int(sort.removeprefix(_REVISION))


def decider_name(application: str) -> str:
    """Return the name of the function that decides."""
    return f"{application}-decider"


def actuator_name(application: str) -> str:
    """Return the name of the function that moves the writer."""
    return f"{application}-actuator"


LEASE_SORT = "newest"
"""Sort key of the lease and of the order; there is one of each."""
LEASE_S = 15.0
"""How long a renewal lets its holder acknowledge writes, by the holder's own clock."""
RENEW_S = 5.0
"""How often a holder renews its lease."""
PULSE_TIDY_MAX = 5
"""The most pulses of terminated instances that one tick deletes."""
HEARTBEAT_S = 1.0
"""How often the writer's heartbeat is written to the database."""

PLEDGE_KEY = "pledge.json"
"""Key of the object in the pledge bucket, in the standby's Region: the orchestrator's promise to
give no side up before a given time. Lease agents rely on it while the state table gives no answer
at all."""
PLEDGE_S = 150.0
"""How long one pledge is valid: longer than two ticks, so that one late tick stops no writer."""

FREEZE_SORT = "freeze"
"""Sort key of the newest freeze, which no other order may replace."""

TRAFFIC_STATES = {Side.PRIMARY: "192.0.2.1", Side.STANDBY: "192.0.2.2"}
"""The addresses that the traffic state's name resolves to, by the side that DNS prefers.

They are reserved for documentation and lead nowhere (RFC 5737). Every resolver can look up an
address, so reading the state from a name needs no control plane.
"""

APP_ENVIRONMENT_FILE = "/etc/otherside/app.env"
"""Where an instance finds its settings, as `NAME=value` lines."""
DATABASE_USER = "app"
"""The database role of the application; it logs in with an IAM token, never with a password."""


class MissingSettingError(Exception):
    """A function was started without a setting that it needs."""


def environment_name(setting: str) -> str:
    """Return the environment variable that carries one setting: `OTHERSIDE_STATE_TABLE`."""
    return f"OTHERSIDE_{setting.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings:
    """Settings passed through a function's environment; each one is a plain string."""

    def to_environment(self) -> dict[str, str]:
        """Return the environment variables for these settings."""
        return {environment_name(name): value for name, value in asdict(self).items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings from environment variables.

        Raises:
            MissingSettingError: If a variable is absent or empty; the message names all of them.
        """
        names = [field.name for field in fields(cls)]
        missing = [environment_name(n) for n in names if not environment.get(environment_name(n))]
        if missing:
            msg = f"missing from the function's environment: {', '.join(missing)}"
            raise MissingSettingError(msg)
        return cls(**{name: environment[environment_name(name)] for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationSettings(FunctionSettings):
    """The settings of the rotation function."""

    global_cluster: str
    """Identifier of the Aurora global cluster."""
    home_region: str
    """Region of the secret's primary copy, where the function runs too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorSettings(FunctionSettings):
    """The settings of the decider and the actuator."""

    application: str
    code: str
    """Digest of the deployed code."""
    mode: str
    loss_max_s: str
    """The highest estimated loss at which a failover needs no approval."""
    stable_s: str
    """How long both sides must have been stable before a failback may be ordered."""
    approvers: str = "1"
    """How many principals have to give an order that may move the writer or lose writes."""
    freezes: str
    """Windows in which nothing moves: `START/END` in seconds since 1970, comma-separated; or
    `none`."""
    primary_region: str
    standby_region: str
    global_cluster: str
    primary_cluster_arn: str
    standby_cluster_arn: str
    state_table: str
    pledge_bucket: str
    topic_arn: str
    capacity_group: str
    """Name of the standby's Auto Scaling group."""
    capacity_min: str
    """The minimum number of instances on the standby once it serves everyone."""
    public_url: str
    """The application's public name, with its scheme but no path."""
    standby_url: str
    """The standby's load balancer by its own name, with its scheme but no path."""
    readiness_path: str
    write_path: str
    traffic_state_name: str
    """A name whose address shows which side DNS prefers: one of `TRAFFIC_STATES`."""

    @property
    def freeze_windows(self) -> list[str]:
        """Return the windows in which nothing moves, each as `START/END`."""
        return [] if self.freezes == "none" else self.freezes.split(",")


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessSettings(FunctionSettings):
    """The settings of the witness function in the third Region."""

    application: str
    code: str
    state_table: str
    state_region: str
    """Region of the state table's replica that it writes to."""
    public_url: str
    write_path: str
