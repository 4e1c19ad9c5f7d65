"""The whole design of one application's recovery as one frozen value.

Nothing here is optional that a default could settle: `otherside.config` reads the file, settles
every default and checks every rule once, and everything behind it trusts this value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from otherside.regions import can_vote_together

T_co = TypeVar("T_co", covariant=True)


class Side(StrEnum):
    """Where a resource lives by design. After a failover the standby side holds the writer."""

    PRIMARY = "primary"
    STANDBY = "standby"

    @property
    def other(self) -> "Side":
        """The side that this one must never forget."""
        return Side.STANDBY if self is Side.PRIMARY else Side.PRIMARY


class FailoverMode(StrEnum):
    """How much the orchestrator may do by itself."""

    AUTO = "auto"
    APPROVE = "approve"
    OBSERVE = "observe"


class Protocol(StrEnum):
    """What the public listener that forwards traffic speaks."""

    HTTP = "http"
    HTTPS = "https"

    @property
    def port(self) -> int:
        """The public port of the listener that forwards."""
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
        """Whether the state table can be a majority of these three Regions."""
        return can_vote_together(self.primary, self.standby, self.witness)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Address space and ways out of it."""

    cidrs: Pair[str]
    zones: int
    nat_per_zone: bool
    interface_endpoints: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Serverless:
    """Bounds of Aurora Serverless v2, in Aurora capacity units."""

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
    """Block commits once the standby lags by more; seconds, 20 or more. `None` leaves it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How many instances an Auto Scaling group may run."""

    min: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """The application's instances and the three questions that they answer over HTTP."""

    instance_type: str
    capacity: Pair[Capacity]
    image_ids: Pair[str] | None
    """Baked images; `None` takes the newest Amazon Linux 2023 of each Region."""
    user_data: str | None
    """A shell script to run at boot instead of installing the application below."""
    application: str
    """Directory with the application, relative to the design file."""
    port: int
    health_path: str
    """Is the process up? Asked by the load balancer."""
    readiness_path: str
    """Can it serve reads? Asked by Route 53, answered 200 on both sides."""
    write_path: str
    """Can it write? Asked by the orchestrator alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The public name and how it is spoken to."""

    domain: str
    zone_id: str | None
    """An existing public hosted zone; `None` creates one for the domain."""
    protocol: Protocol
    certificate_arns: Pair[str] | None
    """Existing certificates; `None` with HTTPS requests one in each Region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """What recovery promises, in seconds."""

    rto_s: float
    rpo_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """What the orchestrator may do, and whom it tells."""

    mode: FailoverMode
    loss_max_s: float
    """Most that a failover may lose, by estimate, without asking."""
    stable_s: float
    """How long both sides must be well again before the way home may be ordered."""
    freezes: tuple[tuple[float, float], ...]
    """Windows in which nothing moves, from and to, in seconds since 1970."""
    notify: tuple[str, ...]
    """Email addresses that hear of every alarm and decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept, in days."""

    logs_days: int
    metrics_days: int
    backups_days: int
    database_days: int
    """Aurora's own point-in-time window, per Region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Scheduled backups, each copied to the other side."""

    schedule: str
    """An AWS cron expression, in UTC."""
    restore_test_schedule: str | None
    """`None` where nothing is restored as a test."""
    compliance_lock: bool
    """Lock vaults so that nobody, AWS included, can shorten retention. It cannot be undone."""
    region_settings: bool
    """Opt both Regions in to what is backed up: a setting of the account, not of the stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Everything that the stack, the orchestrator, the twin and a drill need to know."""

    name: str
    environment: str
    account: str | None
    """Twelve digits; deploying to any other account is refused. `None` accepts any."""
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
    """One KMS key for each purpose in each Region, rather than two for all of them."""
    protect: bool
    """Refuse to delete what holds data."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """The start of every name in this application: `orders-prod`."""
        return f"{self.name}-{self.environment}"
