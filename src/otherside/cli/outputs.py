"""`otherside outputs`: show what a deployed stack exports."""

import json
from pathlib import Path

import click

from otherside.cli.deploy_gates import explained, open_engine, stack_options


@click.command()
@stack_options
@click.option("--show-secrets", is_flag=True, help="Show secrets in plain text.")
@click.option("--json", "as_json", is_flag=True, help="Print the outputs as JSON.")
def outputs(*, directory: Path, stack: str | None, show_secrets: bool, as_json: bool) -> None:
    """Show what the deployed stack of DIRECTORY exports: addresses, names, ARNs.

    \b
    Examples:
      otherside outputs
      otherside outputs orders --stack prod --json | jq -r .endpoint

    Exit codes: 0 shown, 1 Pulumi refused, 2 bad usage or bad input.
    """
    engine = open_engine(directory, stack)
    with explained():
        found = engine.outputs(secrets=show_secrets)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found), default=0)
    for name, value in found.items():
        click.echo(f"{name:{width}}  {value if isinstance(value, str) else json.dumps(value)}")
