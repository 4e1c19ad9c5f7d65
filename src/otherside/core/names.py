"""The wire between the stack and the functions that it deploys: both sides, one file.

The stack writes these names into environments, tables, metrics and rules; the functions read
them. A name that only one side knows is how a detector dies silently, so neither side spells
one out by itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

METRIC_NAMESPACE = "Otherside"
"""CloudWatch namespace of everything that the orchestrator publishes."""
METRIC_DIMENSION = "Application"
"""The one dimension of those metrics; its value is `Topology.prefix`."""
FAILOVER_ACTIVE = "FailoverActive"
"""1 while users belong on the standby side, else 0. Route 53 holds DNS there by it."""
HEARTBEAT = "Heartbeat"
"""1 for each tick of the decider. Its absence pages."""

DECIDER_HANDLER = "otherside.orchestrator.handler.decide"
ACTUATOR_HANDLER = "otherside.orchestrator.handler.act"
ROTATION_HANDLER = "otherside.orchestrator.rotation.rotate"
RUNTIME = "python3.13"
"""Lambda's runtime for all of them."""

STATE_PARTITION = "application"
"""Partition key of the state table; its value is `Topology.prefix`."""
STATE_SORT = "revision"
"""Sort key of the state table: `rev#` and ten digits for revisions, a plain word for the rest."""

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
class Settings:
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
        names = [one.name for one in fields(cls)]
        missing = [environment_name(n) for n in names if not environment.get(environment_name(n))]
        if missing:
            msg = f"missing from the function's environment: {', '.join(missing)}"
            raise MissingSettingError(msg)
        return cls(**{name: environment[environment_name(name)] for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationSettings(Settings):
    """What the rotation function knows of its surroundings."""

    global_cluster: str
    """Identifier of the Aurora global cluster."""
    home_region: str
    """Region of the secret's primary copy, where the function runs too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorSettings(Settings):
    """What the decider and the actuator know of their surroundings."""

    application: str
    mode: str
    primary_region: str
    standby_region: str
    witness_region: str
    global_cluster: str
    primary_cluster_arn: str
    standby_cluster_arn: str
    state_table: str
    topic_arn: str
    capacity_group: str
    """Name of the standby's Auto Scaling group."""
    capacity_min: str
    """Instances to raise the standby to once it serves everyone."""
    public_url: str
    """The application's public name with its scheme and no path."""
    primary_url: str
    standby_url: str
    """The load balancers' own names with their scheme and no path."""
    readiness_path: str
    write_path: str
    endpoint_check_id: str
    """Route 53 health check of the primary's endpoint; advisory only."""
    traffic_state_name: str
    """A TXT record whose answer says which side DNS prefers."""
    rto_s: str
    rpo_s: str
