"""Opens an application's state table, for operator commands."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otherside.cli.twin_choice import TwinConnection, connect
from otherside.config import ConfigError, read_config
from otherside.core.topology import Topology
from otherside.extras import needs
from otherside.failover.clock import SystemClock
from otherside.failover.decision.state import State
from otherside.failover.ports import RefusedError, UnavailableError

if TYPE_CHECKING:
    from otherside.failover.aws.aws_clients import AwsClients
    from otherside.failover.operator import Operator
    from otherside.operate.deployment import Aws, Deployment

ABSENT = "ResourceNotFoundException"
OPERATOR_SKEW_S = 300.0
"""A person's clock may be wrong; it is used only for ages and for the end of a freeze."""


config_option = click.option(
    "--config",
    "--design",
    "design",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration of the stack. Default: otherside.toml here, or in the twin's project.",
)
"""`--design` is its former name, accepted until 0.3.0."""
on_twin_option = click.option(
    "--twin",
    "twin_name",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Speak to the twin NAME, or the only one that runs, instead of AWS.",
)
"""Without it, `AWS_ENDPOINT_URL` decides, as for any AWS command."""


class NoTableError(click.ClickException):
    """No copy of a state table answers; `absent` if AWS says that there is none."""

    def __init__(self, message: str, *, absent: bool = False) -> None:
        """Take the sentence, and whether there is no table at all."""
        super().__init__(message)
        self.absent = absent


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTable:
    """The configuration and its state table, from the first Region that answers."""

    topology: Topology
    twin: TwinConnection | None
    """The twin that stands in for AWS, if one does."""
    region: str
    operator: "Operator"
    state: State
    """The newest revision in that Region."""
    clients: "AwsClients"
    aws: "Aws"
    """Kept while the table is watched: new ones would ask for credentials, and a token, again."""

    @property
    def where(self) -> str:
        """`AWS`, or the twin by its name."""
        return f"the twin {self.twin.name}" if self.twin else "AWS"

    def refreshed(self) -> "OpenedTable":
        """Return the same table with its newest revision.

        Raises:
            NoTableError: If no copy of the table answers any more.
        """
        return _opened(self.topology, self.twin, self.clients, self.aws)

    def deployment(self) -> "Deployment":
        """Return the stack, to be read with the operator's credentials."""
        from otherside.operate.deployment import Deployment  # noqa: PLC0415 - an extra

        clock = self.operator.clock
        if self.twin is None:
            return Deployment(topology=self.topology, clock=clock, aws=self.aws)
        resolve = self.twin.resolve
        return Deployment(topology=self.topology, clock=clock, resolve=resolve, aws=self.aws)


def open_table(design: Path | None, twin_name: str | None = None) -> OpenedTable:
    """Read the configuration and open its state table in the standby's Region.

    A twin stands in for AWS if it was asked for (`twin_name`, empty for the only one), or if
    `AWS_ENDPOINT_URL` leads to one. If that Region does not answer, open the primary's copy: after
    a failover, the standby's Region may be the one that is lost.

    Raises:
        click.UsageError: If the configuration cannot be used, or boto3 is not installed.
        NoTableError: If no copy of the table answers.
    """
    twin = connect(twin_name or None, asked=twin_name is not None)
    try:
        topology = read_config(configuration(design, twin))
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    return _open(topology, twin)


def configuration(design: Path | None, twin: TwinConnection | None) -> Path:
    """Return the configuration's file: the given one, or the one of the twin's project, or ours."""
    return design or (twin.project if twin else Path()) / "otherside.toml"


def _open(topology: Topology, twin: TwinConnection | None) -> OpenedTable:
    """Open the first copy of a state table that answers, with clients of its own."""
    try:
        from otherside.failover.aws.aws_clients import AwsClients  # noqa: PLC0415 - an extra
        from otherside.operate.deployment import Aws  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        raise click.UsageError(needs("this", error.name, "operate")) from None
    return _opened(topology, twin, AwsClients(), Aws())


def _opened(
    topology: Topology, twin: TwinConnection | None, clients: "AwsClients", aws: "Aws"
) -> OpenedTable:
    """Open the first copy of a state table that answers."""
    from otherside.failover.operator import Operator  # noqa: PLC0415 - an extra

    clock = twin.clock if twin else SystemClock()
    silent: list[str] = []
    absent = True
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
            absent = absent and isinstance(error, RefusedError) and error.code == ABSENT
            continue
        return OpenedTable(
            topology=topology,
            twin=twin,
            region=region,
            operator=operator,
            state=state,
            clients=clients,
            aws=aws,
        )
    msg = "; ".join(silent)
    raise NoTableError(msg, absent=absent)


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
