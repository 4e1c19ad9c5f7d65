"""`otherside destroy`: delete a stack from both Regions, after its name has been typed."""

import json
from pathlib import Path

import click

from otherside.cli.deploy_gates import (
    Gates,
    change_options,
    explained,
    hold_failover,
    hold_recovery,
    open_engine,
    show_plan,
    stack_options,
)
from otherside.cli.ignored import refuse_questions


@click.command()
@stack_options
@change_options
def destroy(
    *, directory: Path, stack: str | None, yes: bool, accept: tuple[str, ...], as_json: bool
) -> None:
    """Delete everything of DIRECTORY's stack, in both Regions, as `pulumi destroy` does.

    What a recovery needs is listed first, and has to be accepted: all of it goes. What is
    protected is not deleted: a deployment that takes the protection off comes before.

    \b
    Examples:
      otherside destroy staging --accept recovery

    Exit codes: 0 deleted, 1 refused or failed, 2 bad usage or bad input.
    """
    refuse_questions(as_json=as_json, answered=yes)
    gates = Gates(frozenset(accept), quiet=as_json)
    engine = open_engine(directory, stack)
    hold_failover(gates, directory)
    with explained():
        _refuse_protected(engine.protected(), directory)
        plan = engine.plan_destruction()
    show_plan(gates, plan)
    hold_recovery(gates, engine, plan)
    named = engine.project.stack
    if not yes and click.prompt(f"Type {named} to delete it") != named:
        msg = "that is another name: nothing was deleted"
        raise click.ClickException(msg)
    hold_failover(gates, directory)  # it may have begun while nobody answered
    with explained():
        done = dict(engine.destroy(gates.say))
    if as_json:
        click.echo(json.dumps({"gates": gates.found, "done": done}, indent=2))


def _refuse_protected(names: list[str], directory: Path) -> None:
    """Refuse while something is protected: the engine would delete a part and stop."""
    if not names:
        return
    msg = (
        f"{len(names)} resources are protected, {names[0]} among them: set `protect = false` in "
        f"{directory / 'otherside.toml'}, run `otherside up`, and try again"
    )
    raise click.ClickException(msg)
