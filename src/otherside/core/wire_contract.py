"""The wire between the stack and the functions that it deploys: both sides, one file.

The stack writes these names into environments, tables, metrics and rules; the functions read
them. A name that only one side knows is how a detector dies silently, so neither side spells
one out by itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Self

from otherside.core.topology import Side

METRIC_NAMESPACE = "Otherside"
"""CloudWatch namespace of everything that the orchestrator publishes."""
METRIC_DIMENSION = "Application"
"""The one dimension of those metrics; its value is `Topology.prefix`."""
FAILOVER_ACTIVE = "FailoverActive"
"""1 while users belong on the standby side, else 0. Route 53 holds DNS there by it."""
HEARTBEAT = "Heartbeat"
"""1 for each tick of the decider. Its absence pages."""

WISHES_FAILED = "WishesFailed"
"""How many things one look asked for and could not have."""

DECIDER_HANDLER = "otherside.failover.handlers.decide"
ACTUATOR_HANDLER = "otherside.failover.handlers.act"
WITNESS_HANDLER = "otherside.failover.handlers.watch"
ROTATION_HANDLER = "otherside.failover.rotation.rotate"
RUNTIME = "python3.13"
"""Lambda's runtime for all of them."""

TICK = "tick"
"""Key of the event, `true`, by which the schedule wakes a function; others wake it without."""

STATE_PARTITION = "application"
"""Partition key of the state table; its value is `Topology.prefix`."""
STATE_SORT = "revision"
"""Sort key of the state table: `rev#` and ten digits for revisions, a plain word for the rest."""


class ItemType(StrEnum):
    """What the state table keeps beside revisions, each in a partition of its own."""

    LEASE = "lease"
    """Who may acknowledge writes. The application reads it."""
    PULSE = "pulse"
    """How each place says that it is. The application writes it."""
    COMMAND = "command"
    """What a person ordered last."""
    CLAIM = "claim"
    """Which attempts to move the writer were carried out."""
    NOTICE = "notice"
    """How far people were told."""

    def of(self, application: str) -> str:
        """Return the partition key: `orders-prod/lease`."""
        return f"{application}/{self}"


def revision_sort(revision: int) -> str:
    """Return the sort key of a revision: `rev#0000000007`."""
    return f"rev#{revision:010d}"


def actuator_name(application: str) -> str:
    """Return the name of the function that moves the writer."""
    return f"{application}-actuator"


LEASE_SORT = "newest"
"""Sort key of the lease and of the order: there is one of each."""
LEASE_S = 15.0
"""How long a renewal of the lease lets its holder acknowledge writes, by the holder's own clock."""
RENEW_S = 5.0
"""How often a holder renews it."""
PULSE_TIDY_MAX = 5
"""Most pulses of instances that are gone that one look forgets."""
HEARTBEAT_S = 1.0
"""How often the writer's heartbeat is written into the database."""

PLEDGE_KEY = "pledge.json"
"""Object in the pledge bucket, in the standby's Region: the orchestrator's own word that it gives
no side up before a moment. Keepers go by it while the state table does not answer at all."""
PLEDGE_S = 150.0
"""How long one word of it holds: longer than two ticks, so that one late look stops nobody."""

FREEZE_SORT = "freeze"
"""Sort key of the newest freeze, which no other order may hide."""

TRAFFIC_STATES = {Side.PRIMARY: "192.0.2.1", Side.STANDBY: "192.0.2.2"}
"""Addresses that the traffic state's name answers with, for the side that DNS prefers.

They are reserved for documentation and lead nowhere: an address is what every resolver can look
up, and a name that tells the state needs no control plane. RFC 5737.
"""

APP_ENVIRONMENT_FILE = "/etc/otherside/app.env"
"""Where an instance finds its settings, as `NAME=value` lines."""
DATABASE_USER = "app"
"""The role that the application logs in as, by IAM token and never by password."""


class MissingSettingError(Exception):
    """A function was started without a setting that it needs."""


def environment_name(setting: str) -> str:
    """Return the environment variable that carries one setting: `OTHERSIDE_STATE_TABLE`."""
    return f"OTHERSIDE_{setting.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings:
    """Settings that travel through a function's environment; every one is a plain string."""

    def to_environment(self) -> dict[str, str]:
        """Return the environment variables that carry these settings."""
        return {environment_name(name): value for name, value in asdict(self).items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings back.

        Raises:
            MissingSettingError: Naming every variable that is absent or empty.
        """
        names = [field.name for field in fields(cls)]
        missing = [environment_name(n) for n in names if not environment.get(environment_name(n))]
        if missing:
            msg = f"missing from the function's environment: {', '.join(missing)}"
            raise MissingSettingError(msg)
        return cls(**{name: environment[environment_name(name)] for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationSettings(FunctionSettings):
    """What the rotation function knows of its surroundings."""

    global_cluster: str
    """Identifier of the Aurora global cluster."""
    home_region: str
    """Region of the secret's primary copy, where the function runs too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorSettings(FunctionSettings):
    """What the decider and the actuator know of their surroundings."""

    application: str
    code: str
    """Digest of the code that was deployed."""
    mode: str
    loss_max_s: str
    """Most that a failover may lose, by estimate, without asking."""
    stable_s: str
    """How long both sides must be well again before the way home may be ordered."""
    freezes: str
    """Windows in which nothing moves, `START/END` in seconds since 1970, by commas; or `none`."""
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
    """Instances to raise the standby to once it serves everyone."""
    public_url: str
    """The application's public name with its scheme and no path."""
    standby_url: str
    """The standby's load balancer by its own name, with its scheme and no path."""
    readiness_path: str
    write_path: str
    traffic_state_name: str
    """A name whose address says which side DNS prefers: one of `TRAFFIC_STATES`."""

    @property
    def freeze_windows(self) -> list[str]:
        """Return the windows in which nothing moves, each as `START/END`."""
        return [] if self.freezes == "none" else self.freezes.split(",")


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessSettings(FunctionSettings):
    """What the function in the third Region knows of its surroundings."""

    application: str
    code: str
    state_table: str
    state_region: str
    """Region whose copy of the state table it writes to."""
    public_url: str
    write_path: str
