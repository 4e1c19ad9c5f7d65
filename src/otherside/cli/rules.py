"""`otherside rules`: list what `otherside check` looks for."""

import json

import click

from otherside.check.catalogue import catalogue
from otherside.check.report.findings_document import rule_document


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print every rule's page as JSON.")
def rules(*, as_json: bool) -> None:
    """List the rules of `otherside check`, with what each finds and how bad that is.

    \b
    Examples:
      otherside rules
      otherside rules --json | jq '.[] | select(.severity == "critical") | .name'
    """
    if as_json:
        click.echo(json.dumps([rule_document(one) for one in catalogue()], indent=2))
        return
    for one in catalogue():
        click.echo(f"{one.code}  {one.severity.value:<8}  {one.step.value:<7}  {one.name}")
        click.echo(f"       {one.title}")
