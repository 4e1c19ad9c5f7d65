"""`otherside history`: the audit trail, the decisions made again, and a bundle of evidence."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from otherside.cli.ignored import refuse_ignored
from otherside.cli.state_table import (
    OpenedTable,
    config_option,
    configuration,
    on_twin_option,
    open_table,
)
from otherside.config.document import duration_s
from otherside.failover.decision.state import Phase
from otherside.failover.ports import UnavailableError
from otherside.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otherside.operate.trail import Replayed, Revision

LAST = 50


@click.command()
@config_option
@on_twin_option
@click.option("--last", type=int, help=f"How many revisions to show. Default: {LAST}.")
@click.option("--since", help="Only what was decided since then: 2h ago, or a time with a zone.")
@click.option(
    "--phase", type=click.Choice([str(phase) for phase in Phase]), help="Only this phase."
)
@click.option("--replay", is_flag=True, help="Decide each revision again, and show what differs.")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all of it as evidence to this archive; `otherside verify` checks it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the trail as JSON.")
def history(
    *,
    design: Path | None,
    twin_name: str | None,
    last: int | None,
    since: str | None,
    phase: str | None,
    replay: bool,
    bundle: Path | None,
    as_json: bool,
) -> None:
    """Show what the orchestrator decided, when and why, from its state table.

    Each revision carries everything that it was decided on. --replay makes each decision again with
    the code of this installation and the settings of the deployed function.

    \b
    Examples:
      otherside history --since 2h
      otherside history --replay
      otherside history --bundle incident.zip
      otherside history --json | jq -r '.revisions[] | [.at_s, .phase, .reason] | @csv'

    Exit codes: 0 success, 1 the table does not answer or a decision differs, 2 bad usage.
    """
    if last is not None and last < 1:
        msg = "--last must be 1 or more"
        raise click.UsageError(msg)
    if bundle is not None:
        others = ("last", "since", "phase", "replay", "as_json")
        refuse_ignored(others, "--bundle holds the whole trail, and does not take {option}")
    opened = open_table(design, twin_name)
    trail = _trail(opened)
    if bundle is not None:
        _bundle(opened, trail, bundle, configuration(design, opened.twin))
        return
    again = _again(opened, trail) if replay else {}
    shown = _chosen(trail, last or LAST, _since_s(since, opened), phase)
    if as_json:
        click.echo(json.dumps(_document(opened, shown, again), indent=2))
    else:
        _show(shown, again)
    if any(item.differs for item in again.values()):
        raise SystemExit(1)


def _trail(opened: OpenedTable) -> "list[Revision]":
    from otherside.operate.trail import revisions  # noqa: PLC0415 - an extra

    application = opened.topology.prefix
    client = opened.deployment().client("dynamodb", opened.region)
    try:
        return revisions(client, f"{application}-state", application)
    except UnavailableError as error:
        raise click.ClickException(str(error)) from None


def _again(opened: OpenedTable, trail: "Sequence[Revision]") -> "dict[int, Replayed]":
    from otherside.failover.handlers import policy_of  # noqa: PLC0415 - an extra
    from otherside.operate.reading import read  # noqa: PLC0415 - the same
    from otherside.operate.trail import replay  # noqa: PLC0415 - the same

    settings = read("the decider's settings", opened.deployment().settings)
    if settings.value is None:
        raise click.ClickException(settings.missing)
    return {item.number: item for item in replay(trail, policy_of(settings.value))}


def _since_s(since: str | None, opened: OpenedTable) -> float | None:
    """Return the beginning of the wanted time, in seconds since 1970."""
    if since is None:
        return None
    try:
        return opened.operator.clock.now_s() - duration_s(since)
    except (ValueError, KeyError):
        pass
    try:
        moment = dt.datetime.fromisoformat(since)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = f"--since {since}: neither a duration such as 2h nor a time such as 2026-12-24T18:00Z"
        raise click.UsageError(msg)
    return moment.timestamp()


def _chosen(
    trail: "Sequence[Revision]", last: int, since_s: float | None, phase: str | None
) -> "list[Revision]":
    wanted = [
        item
        for item in trail
        if (since_s is None or item.at_s >= since_s) and phase in {None, item.entry["phase"]}
    ]
    return wanted[-last:]


def _document(
    opened: OpenedTable, shown: "Sequence[Revision]", again: "dict[int, Replayed]"
) -> dict[str, object]:
    found = []
    for item in shown:
        replayed = again.get(item.number)
        more = {}
        if replayed is not None:
            more = {
                "replay": {
                    "same": replayed.same,
                    "differs": list(replayed.differs),
                    "missing": replayed.missing,
                }
            }
        found.append({"revision": item.number, **item.entry, **more})
    return {
        "schema_version": 1,
        "application": opened.topology.prefix,
        "where": opened.where,
        "revisions": found,
    }


def _show(shown: "Sequence[Revision]", again: "dict[int, Replayed]") -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("#", "time (UTC)", "phase", "epoch", "reason", *(("again",) if again else ())):
        table.add_column(column, no_wrap=column in {"#", "phase"}, overflow="fold")
    for item in shown:
        moment = dt.datetime.fromtimestamp(item.at_s, dt.UTC)
        cells: list[str | Text] = [
            str(item.number),
            f"{moment:%Y-%m-%d %H:%M:%S}",
            str(item.entry["phase"]),
            str(item.entry["epoch"]),
            Text(str(item.entry["reason"])),
        ]
        if again:
            cells.append(_words(again[item.number]))
        table.add_row(*cells)
    Console(highlight=False).print(table if shown else "no revision")


def _words(replayed: "Replayed") -> Text:
    if replayed.missing:
        return Text(f"unknown: {replayed.missing}", style="yellow")
    if replayed.same:
        return Text("the same", style="green")
    return Text(f"differs: {', '.join(replayed.differs)}", style="bold red")


def _bundle(opened: OpenedTable, trail: "Sequence[Revision]", file: Path, configured: Path) -> None:
    """Write the trail, the configuration and the functions' settings as evidence."""
    from otherside.operate.evidence_bundle import write_bundle  # noqa: PLC0415 - an extra
    from otherside.operate.reading import read  # noqa: PLC0415 - the same

    settings = read("the decider's settings", opened.deployment().settings)
    known = {"settings": settings.value.to_environment() if settings.value else settings.missing}
    lines = [json.dumps({"revision": item.number, **item.entry}, sort_keys=True) for item in trail]
    contents = {
        "revisions.jsonl": "".join(f"{line}\n" for line in lines).encode(),
        "settings.json": json.dumps(known, indent=2, sort_keys=True).encode(),
        configured.name: configured.read_bytes(),
    }
    about = {
        "application": opened.topology.prefix,
        "where": opened.where,
        "region": opened.region,
        "made_at_s": opened.operator.clock.now_s(),
        "made_by": f"otherside {__version__}",
    }
    try:
        made = write_bundle(file, contents, about)
    except OSError as error:
        msg = f"{file}: cannot be written: {error.strerror}"
        raise click.ClickException(msg) from None
    click.echo(f"{file}: {len(trail)} revisions\ndigest {made.digest}")
    click.echo("Keep the digest elsewhere: it proves later that nothing was changed.")
