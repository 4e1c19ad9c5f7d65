"""`otherside refresh`: adopt into the state what AWS has, unless a failover has changed it."""

import json
from pathlib import Path

import click

from otherside.cli.deploy_gates import (
    Gates,
    change_options,
    explained,
    hold_failover,
    open_engine,
    stack_options,
)
from otherside.cli.ignored import refuse_questions


@click.command()
@stack_options
@change_options
def refresh(
    *, directory: Path, stack: str | None, yes: bool, accept: tuple[str, ...], as_json: bool
) -> None:
    """Adopt into the state of DIRECTORY's stack what AWS has now, as `pulumi refresh` does.

    It is refused while a failover is under way: what the orchestrator has raised or moved for
    a while would become what the next deployment takes for wanted.

    \b
    Examples:
      otherside refresh
      otherside refresh orders --stack prod --yes

    Exit codes: 0 done, 1 refused or failed, 2 bad usage or bad input.
    """
    refuse_questions(as_json=as_json, answered=yes)
    gates = Gates(frozenset(accept), quiet=as_json)
    engine = open_engine(directory, stack)
    hold_failover(gates, directory)
    if not yes:
        click.confirm(f"Refresh the state of stack {engine.project.stack}?", abort=True)
        hold_failover(gates, directory)  # it may have begun while nobody answered
    with explained():
        done = dict(engine.refresh(gates.say))
    if as_json:
        click.echo(json.dumps({"gates": gates.found, "done": done}, indent=2))
