"""`otherside breakglass`: go on without the state table, by a person's word."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otherside.cli.state_table import caller, open_table
from otherside.cli.status import DESIGN
from otherside.config import ConfigError, read_config
from otherside.config.document import duration_s
from otherside.core.topology import Topology
from otherside.core.wire_contract import FAILOVER_ACTIVE, METRIC_DIMENSION, METRIC_NAMESPACE
from otherside.failover.clock import SystemClock
from otherside.failover.ports import ConflictError, UnavailableError

if TYPE_CHECKING:
    from otherside.failover.aws.pledge import Pledge, Pledges, StoredPledge

RISK = (
    "Nobody fences the other side any more. If its Region lives and its database takes writes, "
    "both sides acknowledge, and one side's writes are lost. Be sure that it is down."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """The pledge of a design, as a person finds it."""

    topology: Topology
    pledges: "Pledges"
    kept: "StoredPledge"
    account: str


@click.command()
@click.option("--design", type=DESIGN, default=Path("otherside.toml"), show_default=True)
@click.option("--for", "lasts", default="4h", show_default=True, help="How long the word is good.")
@click.option("--epoch", type=int, help="Above every epoch that anybody saw. Default: found out.")
@click.option("--close", is_flag=True, help="Take the word back: nobody may go by it any more.")
@click.option("--force", is_flag=True, help="Although the state table answers.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
def breakglass(
    design: Path, lasts: str, epoch: int | None, *, close: bool, force: bool, yes: bool
) -> None:
    """Let the standby acknowledge writes though the state table answers nobody.

    For the day on which two of the three Regions are gone: the orchestrator can commit nothing
    then, and no keeper may go on. This writes a person's word where the keepers of the standby
    look when the table is silent, under your own identity and for a while; then it prints what
    is left to do by hand. S3 keeps every version of it.

    \b
    Examples:
      otherside breakglass --for 8h
      otherside breakglass --close

    Exit codes: 0 given, 1 the table answers or nothing could be written, 2 bad usage.
    """
    try:
        lasts_s = duration_s(lasts)
    except (ValueError, KeyError):
        msg = f"--for {lasts}: no duration like 4h"
        raise click.UsageError(msg) from None
    if not force:
        _refuse_where_the_table_answers(design)
    try:
        glass = _find(design)
        given = _word(glass, lasts_s, epoch, close=close)
        if not yes:
            click.echo(RISK if not close else "The standby stops acknowledging writes.")
            click.confirm("Go on?", abort=True)
        glass.pledges.write(given, glass.kept)
    except (ConflictError, UnavailableError) as error:
        raise click.ClickException(str(error)) from None
    if close:
        click.echo("Taken back: once their lease has run out, no keeper goes by it.")
    else:
        _tell_the_rest(glass, given.epoch)


def _refuse_where_the_table_answers(design: Path) -> None:
    try:
        opened = open_table(design)
    except click.ClickException as error:
        if isinstance(error, click.UsageError):
            raise
        return
    msg = (
        f"the state table answers in {opened.region}, and the orchestrator stands in "
        f"{opened.state.phase}: give it an order, or say --force"
    )
    raise click.ClickException(msg)


def _find(design: Path) -> BreakGlass:
    """Return the pledge as it lies in the standby's Region."""
    try:
        topology = read_config(design)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    from otherside.failover.aws.aws_clients import AwsClients  # noqa: PLC0415 - an extra
    from otherside.failover.aws.pledge import Pledges  # noqa: PLC0415 - the same

    region = topology.regions.standby
    account = topology.account or _account(region)
    pledges = Pledges(
        AwsClients().s3(region),
        bucket=f"{topology.prefix}-pledge-{region}-{account}",
        clock=SystemClock(),
    )
    return BreakGlass(topology=topology, pledges=pledges, kept=pledges.read(), account=account)


def _account(region: str) -> str:
    """Return the account: part of a bucket's name, and of the caller's own."""
    parts = caller(region).split(":")
    if len(parts) < 5:  # noqa: PLR2004 - an ARN has six
        msg = "nobody can say which account this is: set `account` in the design"
        raise click.ClickException(msg)
    return parts[4]


def _word(glass: BreakGlass, lasts_s: float, epoch: int | None, *, close: bool) -> "Pledge":
    """Return the word that is given, or the last one taken back."""
    from otherside.failover.aws.pledge import given_by_hand  # noqa: PLC0415 - an extra

    last, now_s = glass.kept.pledge, SystemClock().now_s()
    author = caller(glass.topology.regions.standby)
    if close:
        if last is None:
            msg = "there is no word to take back"
            raise click.ClickException(msg)
        return replace(last, open=False, until_s=now_s, author=author)
    try:
        return given_by_hand(last, epoch, now_s + lasts_s, author)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _tell_the_rest(glass: BreakGlass, epoch: int) -> None:
    """Print what a person does next, with the names filled in."""
    prefix, region = glass.topology.prefix, glass.topology.regions.standby
    cluster = f"arn:aws:rds:{region}:{glass.account}:cluster:{prefix}-{region}"
    click.echo(
        f"""Given: the standby may acknowledge writes, in epoch {epoch}.

What is left to do:
  1. Move the writer, if it is not there yet:
     aws rds failover-global-cluster --region {region} --allow-data-loss \\
       --global-cluster-identifier {prefix} --target-db-cluster-identifier {cluster}
  2. Hold users on the standby:
     aws cloudwatch put-metric-data --region {region} --namespace {METRIC_NAMESPACE} \\
       --metric-name {FAILOVER_ACTIVE} --dimensions {METRIC_DIMENSION}={prefix} --value 1
  3. Let it run as many instances as everyone needs: raise the group's minimum in {region}.
  4. When the table is back, the orchestrator halts, for the database knows a newer epoch than it
     does; writes pause until `otherside order adopt`."""
    )
