"""The schema of `otherside.toml`: every key with its type, its default and its meaning.

An absent key takes its default. A default of `None` is resolved from the profile or from another
key, in `defaults.py`. Rules that span several keys are in `validation.py`.
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


EXPECTED = {
    _DURATION: "must be a duration such as 300s, 5m or 1h",
    rf"^{_MOMENT}/{_MOMENT}$": "must be START/END such as 2026-12-23T00:00Z/2027-01-02T00:00Z",
    r"^/[A-Za-z0-9._~/-]*$": "must be a path such as /healthz",
    r"^[a-z][a-z0-9_]{0,62}$": "must begin with a letter, and have only a-z, 0-9 and _",
    r"^[0-9]{2}\.[0-9]{1,2}$": "must be a version such as 17.9",
    r"^db\.[a-z0-9]+(\.[a-z0-9]+)?$": "must be an instance class such as db.r6g.large",
    r"^ami-[0-9a-f]{8,17}$": "must be an image such as ami-0123456789abcdef0",
    r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$": "must be an instance type such as m7g.large",
    r"^([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]*$": "must be a domain name such as orders.example.com",
    r"^Z[A-Z0-9]{1,31}$": "must be the identifier of a hosted zone, such as Z0123456789ABC",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$": "must be an email address",
    r"^(PUT|POST|PATCH) /[!-~]*$": "must be a method and a path, such as POST /orders",
    r"\{value\}": "must have {value} where the value of a row stands",
    r"^(GET|POST) /[!-~]*\{key\}[!-~]*$": "must be a method and a path, such as GET /orders/{key}",
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "must have only a-z, 0-9 and single hyphens between them",
    r"^[a-z0-9]{1,10}$": "must have 1 to 10 of a-z and 0-9",
    r"^[0-9]{12}$": "must be an account of 12 digits",
}
"""What each pattern asks for, for people."""


class Section(BaseModel):
    """A table of the document, which rejects unknown keys and implicit conversions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class RegionsSection(Section):
    """The Regions of the application, and the Region that breaks ties."""

    primary: RegionName = "us-east-2"
    """Region that normally serves users."""
    standby: RegionName = "us-west-2"
    """Region that takes over. The orchestrator runs here."""
    witness: RegionName = "us-east-1"
    """Third Region. It votes, and stores no data that a user can read."""


class NetworkSection(Section):
    """Address spaces, NAT and private endpoints."""

    primary_cidr: str = "10.0.0.0/16"
    """Address space of the primary's VPC: a /16 to a /24."""
    standby_cidr: str = "10.1.0.0/16"
    """Address space of the standby's VPC. Must not overlap the primary's."""
    zones: Annotated[int, Field(ge=2, le=4)] = 3
    """Availability zones in each Region."""
    nat: Literal["zone", "region"] | None = None
    """One NAT gateway per zone or one per Region. Default: set by the profile."""
    interface_endpoints: bool | None = None
    """Reach AWS APIs through private endpoints instead of NAT. Default: set by the profile."""


class ServerlessSection(Section):
    """Capacity of Aurora Serverless v2. Only with `instance_class = "db.serverless"`."""

    min_acu: Annotated[float, Field(ge=0.5, le=256)] = 8.0
    """Minimum capacity. Never 0: a paused cluster takes longer to resume than the RTO allows."""
    max_acu: Annotated[float, Field(ge=1, le=256)] = 64.0


class DatabaseSection(Section):
    """An Aurora PostgreSQL global database."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "app"
    """Name of the database in the cluster."""
    engine_version: Annotated[str, Field(pattern=r"^[0-9]{2}\.[0-9]{1,2}$")] = "17.9"
    """Same on both sides: Aurora cannot fail over between members of different versions."""
    instance_class: Annotated[str, Field(pattern=r"^db\.[a-z0-9]+(\.[a-z0-9]+)?$")] = "db.r6g.large"
    """Same on both sides, so that the standby can carry the primary's load."""
    primary_instances: Annotated[int, Field(ge=1, le=16)] | None = None
    """Instances on the primary. Default: set by the profile."""
    standby_instances: Annotated[int, Field(ge=0, le=16)] | None = None
    """Instances on the standby; without one, it cannot be promoted. Default: set by the profile."""
    global_db_rpo: Duration | None = None
    """Block commits while every standby lags by more than this. 20 s or longer. Default: off, with
    an alarm only."""
    serverless: ServerlessSection | None = None


class CapacitySection(Section):
    """Minimum and maximum number of instances on one side."""

    min: Annotated[int, Field(ge=0, le=1000)]
    max: Annotated[int, Field(ge=1, le=1000)]


class ImagesSection(Section):
    """Your own machine images, one per Region: an AMI belongs to one Region only."""

    primary: Annotated[str, Field(pattern=r"^ami-[0-9a-f]{8,17}$")]
    standby: Annotated[str, Field(pattern=r"^ami-[0-9a-f]{8,17}$")]


class ComputeSection(Section):
    """The application's instances and their three HTTP health endpoints."""

    instance_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$")] = "t4g.small"
    primary: CapacitySection | None = None
    """Default: set by the profile."""
    standby: CapacitySection | None = None
    """Default: the same as the primary's."""
    images: ImagesSection | None = None
    """Default: the latest Amazon Linux 2023 image of each Region."""
    user_data: str | None = None
    """Path of a shell script that boots an instance, instead of installing `application`."""
    application: str | None = None
    """Directory that contains the application's `app.py`. Default: the sample application."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """Port that the application listens on."""
    health_path: HttpPath = "/health.html"
    """Liveness: is the process up? Checked by the load balancer."""
    readiness_path: HttpPath = "/readyz"
    """Readiness: can it serve? Checked by Route 53; returns 200 on both sides."""
    write_path: HttpPath = "/writez"
    """Writability: can it write? Checked by the orchestrator."""


class CertificatesSection(Section):
    """Existing ACM certificates, one in each Region."""

    primary: str
    standby: str


class TrafficSection(Section):
    """The public name and its protocol."""

    domain: Annotated[str, Field(pattern=r"^([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]*$")] | None = None
    """Public name of the application, under a domain that you own. Required: failover
    redirects users through it, and the orchestrator observes and holds their traffic by it."""
    zone_id: Annotated[str, Field(pattern=r"^Z[A-Z0-9]{1,31}$")] | None = None
    """Public hosted zone of the domain. Default: one is created."""
    protocol: Literal["http", "https"] | None = None
    """Protocol for users. Default: https."""
    certificates: CertificatesSection | None = None
    """Default: one is requested in each Region and validated through the zone."""


class ObjectivesSection(Section):
    """The recovery objectives. Drills measure against them."""

    rto: Duration = "5m"
    """Recovery time objective: the longest time without accepted writes."""
    rpo: Duration = "5s"
    """Recovery point objective: the most recent writes that may be lost without asking a person,
    as an estimated time. Replication usually lags by less than a second, but nothing guarantees it:
    writes that had not arrived when the Region failed are lost. Heartbeats arrive once a second,
    so 2s is the minimum in mode auto."""


class FailoverSection(Section):
    """What the orchestrator may do by itself, and whom it notifies."""

    mode: Literal["auto", "approve", "observe"] = "approve"
    """`approve` asks first, `auto` acts within its guards, `observe` only records. Change it to
    `auto` once a drill has passed: with that one line, a failover needs no manual step."""
    loss_max: Duration | None = None
    """Ask a person above this loss; at most `objectives.rpo`. Default: `objectives.rpo`."""
    stable: Duration = "24h"
    """How long both sides must be healthy before a failback may be ordered. 1m or more."""
    approvers: Literal[1, 2] = 1
    """How many people have to give an order that may move the writer or lose writes. With 2, each
    is another IAM principal of the account, as STS names them."""
    freezes: list[Window] = []
    """Windows in which nothing moves, even by order: `2026-12-23T00:00Z/2027-01-02T00:00Z`."""
    notify: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]] = []
    """Email addresses that are notified of every alarm and decision."""


class RetentionSection(Section):
    """Retention periods, in days."""

    logs: Days = 90
    """Log groups. Must be a number that CloudWatch Logs accepts."""
    metrics: Days = 400
    """Streamed metrics in S3."""
    backups: Days = 35
    """Recovery points and their copies on the other side."""
    database: Annotated[int, Field(ge=1, le=35)] = 14
    """Aurora's point-in-time recovery window, separately on each side."""


NEVER = "never"
"""In place of a schedule: do not run at all."""


class BackupSection(Section):
    """Scheduled backups, copied to the other side and restored there as a test."""

    schedule: str = "cron(0 5 * * ? *)"
    """When to back up: an AWS cron expression, in UTC."""
    restore_test: str = "cron(0 9 ? * SUN *)"
    """When to restore the newest copy as a test: an AWS cron expression, in UTC. Use `never` where
    the standby's Region does not support restore testing."""
    compliance_lock: bool = False
    """Lock the vaults permanently. This cannot be undone by anyone."""
    region_settings: bool = False
    """Opt the account in to backups of Aurora and DynamoDB in both Regions. This setting belongs to
    the account, not to the stack; an account that never changed it opts in once it has a vault."""


class DrillSection(Section):
    """How a drill writes to an application that does not speak the sample's API, and reads it.

    `{key}` stands for a row's key and `{value}` for its value, both of letters, digits and `-`. A
    write may be sent twice, so the key has to identify the row.
    """

    write: Annotated[str, Field(pattern=r"^(PUT|POST|PATCH) /[!-~]*$")]
    """Method and path of a write, such as `POST /orders`. 200 and 201 acknowledge it."""
    body: Annotated[str, Field(pattern=r"\{value\}")] = "{value}"
    """The body of a write."""
    content_type: str = "text/plain"
    """The type of that body."""
    read: Annotated[str, Field(pattern=r"^(GET|POST) /[!-~]*\{key\}[!-~]*$")]
    """Method and path of a read, such as `GET /orders/{key}`. 404: there is no such row."""
    value: str = ""
    """Where the value stands in the JSON of a read's answer, such as `order.note`. Default: the
    whole answer is the value."""
    region: str = ""
    """Where the Region stands in the JSON of an answer. Without it, lost writes leave unknown
    whether there was a split brain."""
    rows: str
    """A statement for PostgreSQL that returns the key and the value of every row, and only those
    two. It decides what was lost."""


class ConfigDocument(Section):
    """Disaster recovery of one application in two AWS Regions."""

    name: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=20)
    ]
    """Prefix of every resource name: 2 to 20 of a-z, 0-9 and single hyphens. Required."""
    environment: Annotated[str, Field(pattern=r"^[a-z0-9]{1,10}$")] = "prod"
    """Suffix of the name, so that several copies can share one account."""
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None
    """The only account to deploy to; any other is refused. Default: any."""
    profile: Profile = "standard"
    """`minimal` is for trials: well under half the cost, no redundancy inside each Region."""
    protect: bool | None = None
    """Refuse to delete resources that hold data. Default: set by the profile."""
    tags: dict[str, str] = {}
    """Tags for every resource that supports them."""
    regions: RegionsSection = RegionsSection()
    network: NetworkSection = NetworkSection()
    database: DatabaseSection = DatabaseSection()
    compute: ComputeSection = ComputeSection()
    traffic: TrafficSection = TrafficSection()
    objectives: ObjectivesSection = ObjectivesSection()
    failover: FailoverSection = FailoverSection()
    retention: RetentionSection = RetentionSection()
    backup: BackupSection = BackupSection()
    drill: DrillSection | None = None
    check: dict[str, Any] = {}
    """Settings of `otherside check`, which reads and validates them itself; see its guide."""


_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def window_s(text: str) -> tuple[float, float]:
    """Return a `Window` in seconds since 1970.

    Raises:
        ValueError: If either end is not a valid time.
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
