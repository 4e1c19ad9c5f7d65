"""`otherside status`: show both sides, the evidence, and what the orchestrator does next."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from otherside.cli.state_table import OpenedTable, config_option, on_twin_option, open_table
from otherside.failover.clock import SystemClock
from otherside.failover.ports import UnavailableError

if TYPE_CHECKING:
    from otherside.operate.overview import Overview

LAST = 8
EVERY_S = 2.0
DRILLS = Path("drills")


@click.command()
@config_option
@on_twin_option
@click.option("--watch", "-W", is_flag=True, help="Refresh the screen until Ctrl-C.")
@click.option("--every", type=float, help=f"Seconds between refreshes. Default: {EVERY_S:g}.")
@click.option("--last", default=LAST, show_default=True, help="How many revisions to show.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def status(
    *,
    design: Path | None,
    twin_name: str | None,
    watch: bool,
    every: float | None,
    last: int,
    as_json: bool,
) -> None:
    """Show who writes, what each signal says, what the orchestrator does next and what is wrong.

    The command reads with your credentials: the state table in the standby's Region or, if that
    does not answer, the primary's copy; the decider's log; RDS, Auto Scaling, AWS Backup and DNS.
    Whatever cannot be read is shown as unknown, with the call and the error.

    \b
    Examples:
      otherside status
      otherside status --watch
      otherside status --watch --twin      the twin that runs on this machine
      otherside status --json | jq .state.phase

    Exit codes: 0 success, 1 the table does not answer, 2 bad usage or bad input.
    """
    if last < 1:
        msg = "--last must be 1 or more"
        raise click.UsageError(msg)
    if every is not None and (not watch or every <= 0):
        msg = "--every needs --watch, and takes a number above 0"
        raise click.UsageError(msg)
    console = Console(highlight=False)
    if watch and (as_json or not console.is_terminal):
        msg = "--watch needs a terminal and shows no JSON: repeat `otherside status --json`"
        raise click.UsageError(msg)
    opened = open_table(design, twin_name)
    if watch:
        _watch(opened, last, every or EVERY_S, console)
        return
    if as_json:
        click.echo(json.dumps(_document(opened, last), indent=2, sort_keys=True, default=str))
    else:
        console.print(_screen(opened, last))


def _watch(opened: OpenedTable, last: int, every_s: float, console: Console) -> None:
    """Show the screen again and again until Ctrl-C."""
    clock = SystemClock()
    told: RenderableType = Text("reading…", style="dim")
    try:
        with Live(told, console=console, screen=True, auto_refresh=False) as live:
            live.refresh()
            while True:
                try:
                    told = _screen(opened.refreshed(), last)
                except click.ClickException as error:
                    told = Text(f"unreadable just now: {error.message}", style="bold red")
                live.update(told, refresh=True)
                clock.sleep(every_s)
    except KeyboardInterrupt:
        return


def _screen(opened: OpenedTable, last: int) -> RenderableType:
    from otherside.cli.status_screen import last_drill, screen  # noqa: PLC0415 - after the extra

    return screen(
        read_overview(opened, last), last_drill(DRILLS, SystemClock().now_s()), opened.where
    )


def _document(opened: OpenedTable, last: int) -> dict[str, object]:
    from otherside.cli.status_screen import document, last_drill  # noqa: PLC0415 - as above

    return document(
        read_overview(opened, last), last_drill(DRILLS, SystemClock().now_s()), opened.where
    )


def read_overview(opened: OpenedTable, last: int) -> "Overview":
    """Return everything about the stack at this moment.

    Raises:
        click.ClickException: If the table does not answer.
    """
    from otherside.operate.overview import overview  # noqa: PLC0415 - an extra

    try:
        return overview(opened.deployment(), opened.operator, opened.region, opened.state, last)
    except UnavailableError as error:
        raise click.ClickException(str(error)) from None
