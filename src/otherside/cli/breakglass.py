"""`otherside breakglass`: let the standby take writes while the state table is unavailable."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otherside.cli.ignored import refuse_ignored, refuse_questions
from otherside.cli.state_table import (
    caller,
    config_option,
    configuration,
    on_twin_option,
    open_table,
)
from otherside.cli.twin_choice import TwinConnection, connect
from otherside.config import ConfigError, read_config
from otherside.config.document import duration_s
from otherside.core.topology import Topology
from otherside.core.wire_contract import FAILOVER_ACTIVE, METRIC_DIMENSION, METRIC_NAMESPACE
from otherside.failover.clock import Clock, SystemClock
from otherside.failover.ports import ConflictError, UnavailableError

if TYPE_CHECKING:
    from otherside.failover.aws.pledge import Pledge, Pledges, StoredPledge

RISK = (
    "The other side is no longer fenced. If its Region is up and its database accepts writes, "
    "both sides acknowledge writes and one side's are lost. Make sure that it is down."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """An application's pledge, as read from its bucket."""

    topology: Topology
    pledges: "Pledges"
    kept: "StoredPledge"
    account: str
    clock: Clock


@click.command()
@config_option
@on_twin_option
@click.option("--for", "lasts", default="4h", show_default=True, help="How long the pledge holds.")
@click.option(
    "--epoch",
    type=int,
    help="Must be above every epoch used so far. Default: above the last pledge's.",
)
@click.option("--close", is_flag=True, help="Withdraw the pledge: agents may no longer rely on it.")
@click.option("--force", is_flag=True, help="Go ahead even though the state table answers.")
@click.option("--yes", is_flag=True, help="Skip the confirmation; for scripts.")
@click.option("--json", "as_json", is_flag=True, help="Print the pledge as JSON; needs --yes.")
def breakglass(
    *,
    design: Path | None,
    twin_name: str | None,
    lasts: str,
    epoch: int | None,
    close: bool,
    force: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Let the standby acknowledge writes while the state table is unavailable.

    For use when two of the three Regions are down: the orchestrator cannot commit anything then,
    and no lease agent may let its side acknowledge writes. This command writes a pledge to S3,
    under your own identity and for a limited time; the standby's lease agents rely on it while
    the table does not answer. It then prints the remaining manual steps. S3 keeps every version
    of the pledge.

    \b
    Examples:
      otherside breakglass --for 8h
      otherside breakglass --close

    Exit codes: 0 pledge written, 1 the table answers or the write failed, 2 bad usage.
    """
    refuse_questions(as_json=as_json, answered=yes)
    if close:
        refuse_ignored(("lasts", "epoch"), "--close does not take {option}")
    try:
        lasts_s = duration_s(lasts)
    except (ValueError, KeyError):
        msg = f"--for {lasts}: not a duration such as 4h"
        raise click.UsageError(msg) from None
    if not force:
        _refuse_where_the_table_answers(design, twin_name)
    try:
        glass = _find(design, connect(twin_name or None, asked=twin_name is not None))
        given = _word(glass, lasts_s, epoch, close=close)
        if not yes:
            click.echo(RISK if not close else "The standby stops acknowledging writes.")
            click.confirm("Continue?", abort=True)
        glass.pledges.write(given, glass.kept)
    except (ConflictError, UnavailableError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(asdict(given)))
    elif close:
        click.echo("Withdrawn: lease agents stop relying on it once their lease expires.")
    else:
        _tell_the_rest(glass, given.epoch)


def _refuse_where_the_table_answers(design: Path | None, twin_name: str | None) -> None:
    try:
        opened = open_table(design, twin_name)
    except click.ClickException as error:
        if isinstance(error, click.UsageError):
            raise
        return
    msg = (
        f"the state table answers in {opened.region}, and the orchestrator is in phase "
        f"{opened.state.phase}: use `otherside order`, or pass --force"
    )
    raise click.ClickException(msg)


def _find(design: Path | None, twin: TwinConnection | None) -> BreakGlass:
    """Read the pledge from its bucket in the standby's Region."""
    try:
        topology = read_config(configuration(design, twin))
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    from otherside.failover.aws.aws_clients import AwsClients  # noqa: PLC0415 - an extra
    from otherside.failover.aws.pledge import Pledges  # noqa: PLC0415 - the same

    region = topology.regions.standby
    account = topology.account or _account(region)
    clock = twin.clock if twin else SystemClock()
    pledges = Pledges(
        AwsClients().s3(region),
        bucket=f"{topology.prefix}-pledge-{region}-{account}",
        clock=clock,
    )
    return BreakGlass(
        topology=topology, pledges=pledges, kept=pledges.read(), account=account, clock=clock
    )


def _account(region: str) -> str:
    """Return the account ID from the caller's ARN; the bucket's name contains it."""
    parts = caller(region).split(":")
    if len(parts) < 5:  # noqa: PLR2004 - an ARN has six
        msg = "cannot determine the AWS account: set `account` in the configuration"
        raise click.ClickException(msg)
    return parts[4]


def _word(glass: BreakGlass, lasts_s: float, epoch: int | None, *, close: bool) -> "Pledge":
    """Return the pledge to write: a new one, or the last one withdrawn."""
    from otherside.failover.aws.pledge import given_by_hand  # noqa: PLC0415 - an extra

    last, now_s = glass.kept.pledge, glass.clock.now_s()
    author = caller(glass.topology.regions.standby)
    if close:
        if last is None:
            msg = "there is no pledge to withdraw"
            raise click.ClickException(msg)
        return replace(last, open=False, until_s=now_s, author=author)
    try:
        return given_by_hand(last, epoch, now_s + lasts_s, author)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _tell_the_rest(glass: BreakGlass, epoch: int) -> None:
    """Print the remaining manual steps, with resource names filled in."""
    prefix, region = glass.topology.prefix, glass.topology.regions.standby
    cluster = f"arn:aws:rds:{region}:{glass.account}:cluster:{prefix}-{region}"
    click.echo(
        f"""Pledge written: the standby may acknowledge writes in epoch {epoch}.

Remaining steps:
  1. Promote the standby, if the writer is not there yet:
     aws rds failover-global-cluster --region {region} --allow-data-loss \\
       --global-cluster-identifier {prefix} --target-db-cluster-identifier {cluster}
  2. Hold users on the standby:
     aws cloudwatch put-metric-data --region {region} --namespace {METRIC_NAMESPACE} \\
       --metric-name {FAILOVER_ACTIVE} --dimensions {METRIC_DIMENSION}={prefix} --value 1
  3. Scale out the standby for all users: raise the Auto Scaling group's minimum in {region}.
  4. When the table is back, the orchestrator halts, because the database has a newer epoch than
     the table; writes pause until `otherside order adopt`."""
    )
