"""`otherside rules`: list the rules of `otherside check`."""

import json

import click

from otherside.check.catalogue import catalogue
from otherside.check.report.findings_document import rule_document


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print every rule's page as JSON.")
def rules(*, as_json: bool) -> None:
    """List the rules of `otherside check`, with what each finds and its severity.

    \b
    Examples:
      otherside rules
      otherside rules --json | jq '.[] | select(.severity == "critical") | .name'
    """
    if as_json:
        click.echo(json.dumps([rule_document(rule) for rule in catalogue()], indent=2))
        return
    for rule in catalogue():
        click.echo(f"{rule.code}  {rule.severity.value:<8}  {rule.step.value:<7}  {rule.name}")
        click.echo(f"       {rule.title}")
