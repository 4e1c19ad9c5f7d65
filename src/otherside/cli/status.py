"""`otherside status`: show the orchestrator's state and the health that each side reports."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from otherside.cli.state_table import config_option, open_table
from otherside.failover.decision.state import State
from otherside.failover.ports import UnavailableError

LAST = 8


@click.command()
@config_option
@click.option("--last", default=LAST, show_default=True, help="How many revisions to show.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def status(design: Path, last: int, *, as_json: bool) -> None:
    """Show the orchestrator's phase, the reason for it, and the health that each side reports.

    The command reads the state table with your credentials: in the standby's Region or, if that
    does not answer, the primary's copy.

    \b
    Examples:
      otherside status
      otherside status --json | jq .state.phase

    Exit codes: 0 success, 1 the table does not answer, 2 bad usage or bad input.
    """
    if last < 1:
        msg = "--last must be 1 or more"
        raise click.UsageError(msg)
    opened = open_table(design)
    try:
        state = opened.state
        revisions = opened.operator.store.last_revisions(last)
        pulses = opened.operator.store.pulses()
        lease = opened.operator.store.lease()
        attempts = opened.operator.store.attempts(state.epoch)
    except UnavailableError as error:
        raise click.ClickException(str(error)) from None
    now_s = opened.operator.clock.now_s()
    document: dict[str, Any] = {
        "schema_version": 1,
        "application": opened.topology.prefix,
        "state": asdict(state),
        "region": opened.region,
        "lease": asdict(lease[1]) if lease else None,
        "attempts": [asdict(attempt) for attempt in attempts],
        "pulses": {
            place: {**asdict(pulse), "age_s": round(now_s - pulse.at_s, 1)}
            for place, pulse in pulses.items()
        },
        "revisions": revisions,
    }
    if as_json:
        click.echo(json.dumps(document, indent=2, sort_keys=True))
    else:
        _show(document, state, now_s)


def _show(document: Mapping[str, Any], state: State, now_s: float) -> None:
    console = Console(highlight=False, soft_wrap=True)
    held = ", users are held on the standby" if state.latched else ""
    console.print(f"{document['application']}: {state.phase} (revision {state.revision})")
    console.print(f"  {state.reason}")
    if state.revision:
        console.print(f"  for {now_s - state.since_s:.0f} s; the writer is on {state.writer}{held}")
    lease = document["lease"]
    if lease:
        said = "open" if lease["open"] else "closed: neither side may acknowledge writes"
        console.print(f"  lease: {said}, epoch {lease['epoch']}")
    for attempt in document["attempts"]:
        answer = attempt["answer"] or "no answer"
        asked = f"Aurora was called: {answer}" if attempt["called"] else "claimed, but not called"
        console.print(f"  attempt {attempt['operation']}: {asked}")
    for failing in state.failing:
        console.print(f"  failing: {failing}", markup=False)
    if document["pulses"]:
        table = Table(box=None, pad_edge=False)
        for column in ("place", "age", "app", "writes", "reads", "lag"):
            table.add_column(column)
        for place, pulse in sorted(document["pulses"].items()):
            lag_s = pulse["lag_max_s"]
            table.add_row(
                place,
                f"{pulse['age_s']:.0f} s",
                *(_word(pulse[name]) for name in ("app_ok", "writes_ok", "reads_ok")),
                "-" if lag_s is None else f"{lag_s:.1f} s",
            )
        console.print(table)
    for revision in document["revisions"]:
        console.print(
            f"  #{revision['event_id']} {revision['phase']}: {revision['reason']}", markup=False
        )


def _word(known: bool | None) -> str:  # noqa: FBT001 - a reading
    return "-" if known is None else "yes" if known else "no"
