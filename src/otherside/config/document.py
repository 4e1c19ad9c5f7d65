"""The shape of `otherside.toml`: every key, its type, its default and what it means.

A key that is absent takes its default; a default of `None` is settled by the profile or by
another key, and `settle.py` says how. Rules that join several keys are in `rules.py`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Profile = Literal["standard", "minimal"]

_DURATION = r"^[0-9]{1,7}(\.[0-9]{1,3})?(ms|s|m|h)$"
Duration = Annotated[str, Field(pattern=_DURATION, examples=["1s", "5m"])]
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})"
Window = Annotated[
    str,
    Field(pattern=rf"^{_MOMENT}/{_MOMENT}$", examples=["2026-12-23T00:00Z/2027-01-02T00:00Z"]),
]
RegionName = Annotated[str, Field(examples=["us-east-2"])]
HttpPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$", max_length=255)]
Days = Annotated[int, Field(ge=1, le=3653)]


class Section(BaseModel):
    """A table of the document: no unknown key, no silent conversion."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class RegionsSection(Section):
    """Where the application lives, and who breaks a tie."""

    primary: RegionName = "us-east-2"
    """Region that serves users by design."""
    standby: RegionName = "us-west-2"
    """Region that takes over. The orchestrator runs here."""
    witness: RegionName = "us-east-1"
    """Third Region: it votes, and stores nothing that a user can read."""


class NetworkSection(Section):
    """Address space and ways out of it."""

    primary_cidr: str = "10.0.0.0/16"
    """Address space of the primary's VPC; a /16 to a /24."""
    standby_cidr: str = "10.1.0.0/16"
    """Address space of the standby's VPC; must not overlap the primary's."""
    zones: Annotated[int, Field(ge=2, le=4)] = 3
    """Availability zones in each Region."""
    nat: Literal["zone", "region"] | None = None
    """One NAT gateway in each zone or one in each Region. Default: by profile."""
    interface_endpoints: bool | None = None
    """Reach AWS APIs through private endpoints rather than NAT. Default: by profile."""


class ServerlessSection(Section):
    """Bounds of Aurora Serverless v2. Present only where `instance_class` is `db.serverless`."""

    min_acu: Annotated[float, Field(ge=0.5, le=256)] = 8.0
    """Never 0: a paused cluster takes longer to wake than the recovery objective allows."""
    max_acu: Annotated[float, Field(ge=1, le=256)] = 64.0


class DatabaseSection(Section):
    """An Aurora PostgreSQL global database."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "app"
    """Name of the database in the cluster."""
    engine_version: Annotated[str, Field(pattern=r"^[0-9]{2}\.[0-9]{1,2}$")] = "17.9"
    """The same on both sides; failover refuses members of different versions."""
    instance_class: Annotated[str, Field(pattern=r"^db\.[a-z0-9]+(\.[a-z0-9]+)?$")] = "db.r6g.large"
    """The same on both sides, so that the standby carries the primary's load."""
    primary_instances: Annotated[int, Field(ge=1, le=16)] | None = None
    """Default: by profile."""
    standby_instances: Annotated[int, Field(ge=0, le=16)] | None = None
    """Default: by profile. A standby without an instance cannot be promoted."""
    global_db_rpo: Duration | None = None
    """Block commits while every standby lags by more: 20 s or longer. Default: off, alarm only."""
    serverless: ServerlessSection | None = None


class CapacitySection(Section):
    """How many instances one side may run."""

    min: Annotated[int, Field(ge=0, le=1000)]
    max: Annotated[int, Field(ge=1, le=1000)]


class ImagesSection(Section):
    """Baked machine images, one for each Region: an image belongs to one Region only."""

    primary: Annotated[str, Field(pattern=r"^ami-[0-9a-f]{8,17}$")]
    standby: Annotated[str, Field(pattern=r"^ami-[0-9a-f]{8,17}$")]


class ComputeSection(Section):
    """The application's instances, and the three questions they answer over HTTP."""

    instance_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$")] = "t4g.small"
    primary: CapacitySection | None = None
    """Default: by profile."""
    standby: CapacitySection | None = None
    """Default: the same as the primary's."""
    images: ImagesSection | None = None
    """Default: the newest Amazon Linux 2023 of each Region."""
    user_data: str | None = None
    """Path of a shell script to boot with, instead of installing `application`."""
    application: str | None = None
    """Directory of the application, with an `app.py` in it. Default: the sample application."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """Where the application listens on an instance."""
    health_path: HttpPath = "/health.html"
    """Is the process up? The load balancer asks."""
    readiness_path: HttpPath = "/readyz"
    """Can it serve? Route 53 asks; answers 200 on both sides."""
    write_path: HttpPath = "/writez"
    """Can it write? The orchestrator asks."""


class CertificatesSection(Section):
    """ACM certificates that exist already, one in each Region."""

    primary: str
    standby: str


class TrafficSection(Section):
    """The public name and how it is spoken to."""

    domain: Annotated[str, Field(pattern=r"^([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]*$")] | None = None
    """Public name of the application, under a domain that you own. Required: users are led by it,
    and the orchestrator sees and holds them by it."""
    zone_id: Annotated[str, Field(pattern=r"^Z[A-Z0-9]{1,31}$")] | None = None
    """Public hosted zone that holds the domain. Default: one is created for it."""
    protocol: Literal["http", "https"] | None = None
    """Default: https."""
    certificates: CertificatesSection | None = None
    """Default: one is requested in each Region and validated through the zone."""


class ObjectivesSection(Section):
    """What recovery promises. A drill measures against it."""

    rto: Duration = "5m"
    """Longest time without accepted writes."""
    rpo: Duration = "5s"
    """Most recent writes that may be lost without asking a person, as time and by estimate.
    Replication lags by less than a second as a rule, and nothing promises so: what had not arrived
    when the Region died is lost. A heartbeat comes each second, so 2s is the least in mode auto."""


class FailoverSection(Section):
    """What the orchestrator may do by itself, and whom it tells."""

    mode: Literal["auto", "approve", "observe"] = "approve"
    """`approve` asks first, `auto` acts within its guards, `observe` only records. Change it to
    `auto` once a drill has passed: that is the one line between you and no manual step at all."""
    loss_max: Duration | None = None
    """Ask a person from less on than `objectives.rpo` promises. Default: `objectives.rpo`."""
    stable: Duration = "24h"
    """How long both sides must be well again before the way home may be ordered; 1m or more."""
    freezes: list[Window] = []
    """Windows in which nothing moves, whoever asks: `2026-12-23T00:00Z/2027-01-02T00:00Z`."""
    notify: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]] = []
    """Email addresses that hear of every alarm and decision."""


class RetentionSection(Section):
    """How long things are kept, in days."""

    logs: Days = 90
    """Log groups; one of the numbers that CloudWatch Logs accepts."""
    metrics: Days = 400
    """Streamed metrics in S3."""
    backups: Days = 35
    """Recovery points, and their copies on the other side."""
    database: Annotated[int, Field(ge=1, le=35)] = 14
    """Aurora's point-in-time window, on each side by itself."""


NEVER = "never"
"""Instead of a schedule: not at all."""


class BackupSection(Section):
    """Scheduled backups, each copied to the other side and restored there as a test."""

    schedule: str = "cron(0 5 * * ? *)"
    """When to back up; an AWS cron expression, UTC."""
    restore_test: str = "cron(0 9 ? * SUN *)"
    """When to restore the newest copy as a test; an AWS cron expression, UTC, or `never` where the
    standby's Region has no restore testing."""
    compliance_lock: bool = False
    """Lock the vaults for good. Cannot be undone by anyone."""
    region_settings: bool = False
    """Have the account back up Aurora and DynamoDB in both Regions. It is the account's setting,
    not the stack's; an account that never touched it does so by itself once it has a vault."""


class ConfigDocument(Section):
    """Recovery of one application in two AWS Regions. Only `name` is required."""

    name: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=20)
    ]
    """What everything is named after: 2 to 20 of a-z, 0-9 and single hyphens."""
    environment: Annotated[str, Field(pattern=r"^[a-z0-9]{1,10}$")] = "prod"
    """Suffix of the name, so that several copies live in one account."""
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None
    """Deploying to any other account is refused. Default: any."""
    profile: Profile = "standard"
    """`minimal` costs well under half and gives up redundancy inside each Region: for trials."""
    protect: bool | None = None
    """Refuse to delete what holds data. Default: by profile."""
    tags: dict[str, str] = {}
    """Put on everything that takes tags."""
    regions: RegionsSection = RegionsSection()
    network: NetworkSection = NetworkSection()
    database: DatabaseSection = DatabaseSection()
    compute: ComputeSection = ComputeSection()
    traffic: TrafficSection = TrafficSection()
    objectives: ObjectivesSection = ObjectivesSection()
    failover: FailoverSection = FailoverSection()
    retention: RetentionSection = RetentionSection()
    backup: BackupSection = BackupSection()
    check: dict[str, Any] = {}
    """Settings of `otherside check`, which reads and judges them itself; see its guide."""


_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def window_s(text: str) -> tuple[float, float]:
    """Return a `Window` in seconds since 1970.

    Raises:
        ValueError: If one of its ends is no moment.
    """
    start, _, end = text.partition("/")
    return (datetime.fromisoformat(start).timestamp(), datetime.fromisoformat(end).timestamp())


def duration_s(text: str) -> float:
    """Return a `Duration` in seconds: `5m` is 300.0."""
    number = text.rstrip("mhs")
    return float(number) * _UNITS_S[text[len(number) :]]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document, for editors."""
    schema = ConfigDocument.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "otherside.toml",
        **{key: value for key, value in schema.items() if key != "title"},
    }
