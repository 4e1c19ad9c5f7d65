"""`otherside readiness`: check what has to be true before the day that a Region is lost."""

import importlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from otherside.cli.ignored import refuse_ignored
from otherside.cli.state_table import NoTableError, config_option, on_twin_option, open_table
from otherside.cli.twin_choice import connect
from otherside.extras import needs
from otherside.failover.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from otherside.operate.readiness.model import (
        DatabaseTarget,
        ReadinessCheck,
        ReadinessResult,
        StackTarget,
    )

UNKNOWN_CODE = 3


class NotKnownError(click.ClickException):
    """Nothing could be judged, because what the checks start from could not be read."""

    exit_code = UNKNOWN_CODE


_MARKS = {"ready": "green", "not-ready": "bold red", "unknown": "yellow", "skipped": "dim"}


@click.command()
@config_option
@on_twin_option
@click.option(
    "--global-cluster",
    metavar="ID",
    help="Check a global database that was not deployed by this project; needs --region.",
)
@click.option("--tag", metavar="KEY=VALUE", help="The same, found by a tag; needs --region.")
@click.option("--region", help="The Region to ask about it: one of its secondaries.")
@click.option("--only", metavar="CODE,...", help="Run only these checks; --list prints them all.")
@click.option("--list", "listed", is_flag=True, help="List the checks, and run none.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def readiness(
    *,
    design: Path | None,
    twin_name: str | None,
    global_cluster: str | None,
    tag: str | None,
    region: str | None,
    only: str | None,
    listed: bool,
    as_json: bool,
) -> None:
    """Check that a failover would work now, without changing anything.

    Each check says what it found, why it matters and what to do. Run it on a schedule: what is true
    today may be gone by the day that it is needed.

    \b
    Examples:
      otherside readiness
      otherside readiness --only standby-quota,keys
      otherside readiness --global-cluster shop --region eu-west-1
      otherside readiness --json | jq '.checks[] | select(.outcome != "ready")'

    Exit codes: 0 ready, 1 not ready, 2 bad usage or bad input, 3 not known to be ready.
    """
    foreign = bool(global_cluster or tag)
    if bool(global_cluster) and bool(tag):
        msg = "--global-cluster and --tag name the same thing: give one"
        raise click.UsageError(msg)
    if foreign is not bool(region):
        msg = "--region belongs to --global-cluster or --tag, and they need it"
        raise click.UsageError(msg)
    if foreign:
        refuse_ignored(("design",), "a stack of somebody else's has no {option}")
    catalogue = _catalogue()
    checks = _chosen(only, catalogue.DATABASE_CHECKS if foreign else catalogue.CHECKS)
    if listed:
        refuse_ignored(("twin_name",), "--list asks nobody: leave {option} out")
        _list(checks, as_json=as_json)
        return
    if foreign:
        told = _of_a_database(checks, twin_name, str(region), global_cluster, tag)
    else:
        told = _of_a_stack(checks, design, twin_name)
    if as_json:
        click.echo(json.dumps(_document(told), indent=2))
    else:
        _show(told)
    sys.exit({"ready": 0, "not-ready": 1, "unknown": UNKNOWN_CODE}[_outcome(told.results)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was checked, where and when, and with which results."""

    name: str
    where: str
    at_s: float
    results: "list[ReadinessResult]"


def _catalogue() -> "ModuleType":
    try:
        return importlib.import_module("otherside.operate.readiness.all_checks")
    except ModuleNotFoundError as error:
        raise click.UsageError(needs("this", error.name, "operate")) from None


def _document(told: Told) -> dict[str, object]:
    return {
        "schema_version": 1,
        "application": told.name,
        "where": told.where,
        "at_s": told.at_s,
        "outcome": _outcome(told.results),
        "checks": [result.to_json() for result in told.results],
    }


def _chosen(
    only: str | None, checks: "tuple[ReadinessCheck[Any], ...]"
) -> "tuple[ReadinessCheck[Any], ...]":
    if only is None:
        return checks
    asked = [part.strip() for part in only.split(",") if part.strip()]
    unknown = [code for code in asked if code not in {check.code for check in checks}]
    if unknown or not asked:
        msg = f"unknown check: {', '.join(unknown) or repr(only)}; --list prints them all"
        raise click.UsageError(msg)
    return tuple(check for check in checks if check.code in asked)


def _list(checks: "tuple[ReadinessCheck[Any], ...]", *, as_json: bool) -> None:
    if as_json:
        known = [{"code": check.code, "title": check.title, "why": check.why} for check in checks]
        click.echo(json.dumps(known, indent=2))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        table.add_row(check.code, check.title)
    Console(highlight=False).print(table)


def _of_a_stack(
    checks: "Sequence[ReadinessCheck[StackTarget]]", design: Path | None, twin_name: str | None
) -> Told:
    """Run the checks of a stack of ours."""
    from otherside.operate.overview import last_tick  # noqa: PLC0415 - an extra
    from otherside.operate.readiness.model import StackTarget, run  # noqa: PLC0415 - the same
    from otherside.operate.reading import read  # noqa: PLC0415 - the same

    try:
        opened = open_table(design, twin_name)
    except NoTableError as error:
        raise NotKnownError(error.message) from None
    deployment = opened.deployment()
    settings = read("the decider's settings", deployment.settings)
    if settings.value is None:
        raise NotKnownError(settings.missing)
    now_s = opened.operator.clock.now_s()
    target = StackTarget(
        deployment=deployment,
        settings=settings.value,
        state=opened.state,
        tick=read("the decider's log", lambda: last_tick(deployment, now_s)),
    )
    return Told(
        name=opened.topology.prefix,
        where=opened.where,
        at_s=now_s,
        results=run(checks, target, on_twin=opened.twin is not None),
    )


def _of_a_database(
    checks: "Sequence[ReadinessCheck[DatabaseTarget]]",
    twin_name: str | None,
    region: str,
    global_cluster: str | None,
    tag: str | None,
) -> Told:
    """Run the checks of a global database, whoever deployed it."""
    from otherside.operate.deployment import Aws  # noqa: PLC0415 - an extra
    from otherside.operate.readiness.database import find, tagged  # noqa: PLC0415 - the same
    from otherside.operate.readiness.model import run  # noqa: PLC0415 - the same
    from otherside.operate.reading import read  # noqa: PLC0415 - the same

    twin = connect(twin_name or None, asked=twin_name is not None)
    clock = twin.clock if twin else SystemClock()
    aws, identifier = Aws(), global_cluster
    if identifier is None:
        key, _, value = str(tag).partition("=")
        known = read("the global databases", lambda: tagged(aws, region, key, value))
        if known.value is None or len(known.value) != 1:
            found = known.missing or f"{len(known.value or ())} global databases carry {tag}"
            raise (NotKnownError if known.missing else click.ClickException)(found)
        identifier = known.value[0]
    target = read(
        f"the global database {identifier}", lambda: find(aws, region, identifier, clock.now_s())
    )
    if target.value is None:
        raise NotKnownError(target.missing)
    return Told(
        name=identifier,
        where=f"the twin {twin.name}" if twin else "AWS",
        at_s=clock.now_s(),
        results=run(checks, target.value, on_twin=twin is not None),
    )


def _outcome(results: "list[ReadinessResult]") -> str:
    outcomes = {str(result.outcome) for result in results}
    return next((name for name in ("not-ready", "unknown") if name in outcomes), "ready")


def _show(told: Told) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for result in told.results:
        mark = str(result.outcome)
        table.add_row(Text(mark.replace("-", " "), style=_MARKS[mark]), result.title)
        table.add_row("", Text(result.found, style="dim"))
        if mark in {"not-ready", "unknown"}:
            table.add_row("", f"why: {result.why}")
            table.add_row("", f"do:  {result.remedy}")
    console.print(table)
    counts = ", ".join(
        f"{count} {mark.replace('-', ' ')}"
        for mark in _MARKS
        if (count := sum(result.outcome == mark for result in told.results))
    )
    console.print(f"\n{told.name} on {told.where}: {counts}")
