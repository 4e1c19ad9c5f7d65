"""`otherside up`: deploy by Pulumi's engine, after what a recovery needs has been looked at."""

import json
from pathlib import Path

import click

from otherside.cli.deploy_gates import (
    Gates,
    change_options,
    explained,
    hold_failover,
    hold_findings,
    hold_recovery,
    hold_state,
    open_engine,
    show_plan,
    stack_options,
)
from otherside.cli.ignored import refuse_questions


@click.command()
@stack_options
@change_options
@click.option("--dry-run", is_flag=True, help="Look at everything, and deploy nothing.")
def up(
    *,
    directory: Path,
    stack: str | None,
    yes: bool,
    accept: tuple[str, ...],
    as_json: bool,
    dry_run: bool,
) -> None:
    """Deploy DIRECTORY's Pulumi program to AWS, and refuse what a recovery would regret.

    It does what `pulumi up` does, after four looks: whether the state and its secrets key survive
    the primary, whether a failover is under way, what the check finds in the program, and what a
    recovery would miss after the change, such as a standby that becomes smaller than the primary.
    Pulumi's own command has to be installed; backend and credentials are the ones that it uses.

    \b
    Examples:
      otherside up --dry-run
      otherside up orders --stack prod
      otherside up --yes --accept findings --json

    Exit codes: 0 deployed, 1 refused or failed, 2 bad usage or bad input.
    """
    refuse_questions(as_json=as_json, answered=yes or dry_run, instead="add --yes, or --dry-run")
    gates = Gates(frozenset(accept), quiet=as_json)
    engine = open_engine(directory, stack, create=True)
    hold_state(gates, engine)
    hold_failover(gates, directory)
    hold_findings(gates, engine)
    with explained():
        plan = engine.plan()
    show_plan(gates, plan)
    hold_recovery(gates, engine, plan)
    done, outputs = {}, {}
    if not dry_run:
        if plan.changes and not yes:
            named = f"{engine.project.name}, stack {engine.project.stack}"
            click.confirm(f"Deploy {named}?", abort=True)
        hold_failover(gates, directory)  # it may have begun while all of this was looked at
        with explained():  # without changes, too: an export may have changed
            made = engine.update(gates.say)
            outputs = engine.outputs(secrets=False)
        done = {name: count for name, count in made.items() if name != "same"}
    if as_json:
        told = {"planned": plan.changes, "gates": gates.found, "done": done, "outputs": outputs}
        click.echo(json.dumps(told, indent=2))
    elif dry_run:
        click.echo("nothing was deployed")
    elif not plan.changes:
        click.echo("nothing to change")
