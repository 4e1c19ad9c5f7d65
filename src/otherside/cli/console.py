"""`otherside console`: the overview as a page, for a screen on the wall or a demonstration."""

import json
import secrets
from pathlib import Path
from typing import Any

import click

from otherside.cli.console_server import ConsoleServer, NoOverviewError
from otherside.cli.state_table import OpenedTable, config_option, on_twin_option, open_table
from otherside.cli.status import DRILLS, LAST, read_overview
from otherside.failover.clock import SystemClock

DRILLS_MAX = 5
PORT_MAX = 65_535


@click.command()
@config_option
@on_twin_option
@click.option(
    "--port",
    type=click.IntRange(0, PORT_MAX),
    default=0,
    show_default=True,
    help="The port on 127.0.0.1; 0 takes a free one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
def console(*, design: Path | None, twin_name: str | None, port: int, as_json: bool) -> None:
    """Serve the overview of a stack as a page to this machine, until Ctrl-C.

    The page shows the Regions with their live state, the replication lag, each signal, the
    timeline and the last drills, and changes nothing. It reads what `otherside status` reads, with
    your credentials. Only a browser on this machine that knows the printed address gets it.

    \b
    Examples:
      otherside console
      otherside console --twin
      ssh -L 8765:127.0.0.1:8765 jump otherside console --port 8765

    Exit codes: 0 ended by Ctrl-C, 1 the table does not answer or the port is taken, 2 bad usage.
    """
    opened = open_table(design, twin_name)
    secret, clock = secrets.token_urlsafe(12), SystemClock()
    try:
        server = ConsoleServer(
            lambda: _look(opened), port=port, secret=secret, monotonic_s=clock.monotonic_s
        )
    except OSError as error:
        msg = f"port {port}: {error.strerror or error}; --port 0 takes a free one"
        raise click.ClickException(msg) from None
    click.echo(json.dumps({"url": server.url}) if as_json else f"console: {server.url}")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


def _look(opened: OpenedTable) -> dict[str, Any]:
    """Return what the page shows.

    Raises:
        NoOverviewError: If the table does not answer.
    """
    from otherside.cli.status_screen import document, last_drills  # noqa: PLC0415 - after the extra
    from otherside.failover.aws.global_cluster import UNFIT  # noqa: PLC0415 - the same

    drills = last_drills(DRILLS, SystemClock().now_s(), DRILLS_MAX)
    try:
        seen = read_overview(opened.refreshed(), LAST)
    except click.ClickException as error:
        raise NoOverviewError(error.message) from None
    told = document(seen, drills[0] if drills else None, opened.where)
    return {**told, "drills": [drill.as_json() for drill in drills], "unfit": sorted(UNFIT)}
