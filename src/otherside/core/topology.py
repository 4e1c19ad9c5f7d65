"""The whole configuration of one application's recovery, as one frozen value.

No field is optional that a default could fill: `otherside.config` reads the file, fills in every
default and checks every rule once, and all other code trusts this value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from otherside.regions import can_vote_together

T_co = TypeVar("T_co", covariant=True)


class Side(StrEnum):
    """The side a resource belongs to. After a failover, the standby side holds the writer."""

    PRIMARY = "primary"
    STANDBY = "standby"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.STANDBY if self is Side.PRIMARY else Side.PRIMARY


class FailoverMode(StrEnum):
    """How much the orchestrator may do by itself."""

    AUTO = "auto"
    APPROVE = "approve"
    OBSERVE = "observe"


class Protocol(StrEnum):
    """The protocol of the public listener that forwards traffic."""

    HTTP = "http"
    HTTPS = "https"

    @property
    def port(self) -> int:
        """The public port of the forwarding listener."""
        return 443 if self is Protocol.HTTPS else 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Generic[T_co]):
    """One value for each side."""

    primary: T_co
    standby: T_co

    def on(self, side: Side) -> T_co:
        """Return the value of one side."""
        return self.primary if side is Side.PRIMARY else self.standby


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions(Pair[str]):
    """The two Regions of the application and the third one that breaks ties."""

    witness: str

    @property
    def quorum(self) -> bool:
        """Whether these three Regions can hold a state table that needs a majority of them."""
        return can_vote_together(self.primary, self.standby, self.witness)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The address space and its routes out."""

    cidrs: Pair[str]
    zones: int
    nat_per_zone: bool
    interface_endpoints: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Serverless:
    """The limits of Aurora Serverless v2, in Aurora capacity units."""

    min_acu: float
    max_acu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An Aurora PostgreSQL global database."""

    name: str
    engine_version: str
    instance_class: str
    instances: Pair[int]
    serverless: Serverless | None
    global_db_rpo_s: int | None
    """Block commits if the standby lags by more; in seconds, at least 20. `None` turns it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How many instances an Auto Scaling group may run."""

    min: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """The application's instances, and the three HTTP paths on which they report."""

    instance_type: str
    capacity: Pair[Capacity]
    image_ids: Pair[str] | None
    """Baked images; `None` uses the newest Amazon Linux 2023 in each Region."""
    user_data: str | None
    """A shell script to run at boot, instead of installing the application below."""
    application: str
    """Directory of the application, relative to the configuration file."""
    port: int
    health_path: str
    """Is the process up? The load balancer asks."""
    readiness_path: str
    """Can it serve reads? Route 53 asks; both sides answer 200."""
    write_path: str
    """Can it write? Only the orchestrator asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The public name, and the protocol to reach it."""

    domain: str
    zone_id: str | None
    """An existing public hosted zone; `None` creates one for the domain."""
    protocol: Protocol
    certificate_arns: Pair[str] | None
    """Existing certificates; `None` with HTTPS requests one in each Region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """The recovery objectives, in seconds."""

    rto_s: float
    rpo_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """What the orchestrator may do, and whom it notifies."""

    mode: FailoverMode
    loss_max_s: float
    """The highest estimated loss at which a failover needs no approval."""
    stable_s: float
    """How long both sides must have been stable before a failback may be ordered."""
    approvers: int
    """How many principals have to give an order that may move the writer or lose writes."""
    freezes: tuple[tuple[float, float], ...]
    """Windows in which nothing moves, each as (start, end) in seconds since 1970."""
    notify: tuple[str, ...]
    """Email addresses that are notified of every alarm and decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Retention periods, in days."""

    logs_days: int
    metrics_days: int
    backups_days: int
    database_days: int
    """Aurora's own point-in-time recovery window, per Region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Scheduled backups, each copied to the other side."""

    schedule: str
    """An AWS cron expression, in UTC."""
    restore_test_schedule: str | None
    """`None` turns restore tests off."""
    compliance_lock: bool
    """Lock vaults so that no one, not even AWS, can shorten retention. This cannot be undone."""
    region_settings: bool
    """Opt both Regions in to the backed-up services: an account setting, not one of the stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Everything that the stack, the orchestrator, the twin and a drill need to know."""

    name: str
    environment: str
    account: str | None
    """Twelve digits; deployment to any other account is refused. `None` accepts any account."""
    regions: Regions
    network: Network
    database: Database
    compute: Compute
    traffic: Traffic
    objectives: Objectives
    failover: Failover
    retention: Retention
    backup: Backup
    key_per_purpose: bool
    """One KMS key per purpose in each Region, instead of two for everything."""
    protect: bool
    """Refuse to delete resources that hold data."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """The prefix of every resource name in this application: `orders-prod`."""
        return f"{self.name}-{self.environment}"
