"""Opens an application's state table, for operator commands."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otherside.config import ConfigError, read_config
from otherside.core.topology import Topology
from otherside.failover.clock import SystemClock
from otherside.failover.decision.state import State
from otherside.failover.ports import UnavailableError

if TYPE_CHECKING:
    from otherside.failover.operator import Operator

OPERATOR_SKEW_S = 300.0
"""A person's clock may be wrong; it is used only for ages and for the end of a freeze."""


config_option = click.option(
    "--config",
    "--design",
    "design",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("otherside.toml"),
    show_default=True,
    help="The configuration of the stack.",
)
"""`--design` is its former name, accepted until 0.3.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTable:
    """The configuration and its state table, from the first Region that answers."""

    topology: Topology
    region: str
    operator: "Operator"
    state: State
    """The newest revision in that Region."""


def open_table(design: Path) -> OpenedTable:
    """Read the configuration and open its state table in the standby's Region.

    If that Region does not answer, open the primary's copy: after a failover, the standby's Region
    may be the one that is lost.

    Raises:
        click.UsageError: If the configuration cannot be used, or boto3 is not installed.
        click.ClickException: If no copy of the table answers.
    """
    try:
        topology = read_config(design)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    try:
        from otherside.failover.aws.aws_clients import AwsClients  # noqa: PLC0415 - an extra
        from otherside.failover.operator import Operator  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        msg = f"this needs {error.name}: pip install 'otherside[operate]'"
        raise click.UsageError(msg) from None
    clock, clients, silent = SystemClock(), AwsClients(), []
    for region in _copies(topology):
        operator = Operator.connect(
            clients.dynamodb(region),
            topology.prefix,
            clock=clock,
            code="cli",
            skew_s=OPERATOR_SKEW_S,
        )
        try:
            state = operator.store.newest()
        except UnavailableError as error:
            silent.append(f"{region}: {error}")
            continue
        return OpenedTable(topology=topology, region=region, operator=operator, state=state)
    msg = "; ".join(silent)
    raise click.ClickException(msg)


def _copies(topology: Topology) -> list[str]:
    """Return the Regions where the table can be read and written, the orchestrator's own first."""
    regions = topology.regions
    return [regions.standby, *([regions.primary] if regions.quorum else [])]


def caller(region: str) -> str:
    """Return the caller's ARN, as STS reports it in a Region that is meant to survive.

    A caller whom STS cannot identify may still give orders: in a disaster, access to the state
    table is enough.
    """
    import boto3  # noqa: PLC0415 - an extra
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the same

    from otherside.failover.aws.aws_clients import READING  # noqa: PLC0415 - the same

    try:
        sts = boto3.client("sts", region_name=region, config=READING)
        return str(sts.get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError):
        return "unknown caller"
