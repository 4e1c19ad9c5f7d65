"""`otherside explain`: print one rule's page."""

import difflib
import json

import click

from otherside.check.catalogue import catalogue
from otherside.check.report.findings_document import rule_document


@click.command()
@click.argument("rule")
@click.option("--json", "as_json", is_flag=True, help="Print the page as JSON.")
def explain(rule: str, *, as_json: bool) -> None:
    """Explain RULE, by code or name: what it finds, why, the fix per dialect, and the impact.

    \b
    Examples:
      otherside explain DR009
      otherside explain headless-secondary-cluster
    """
    found = [
        other_rule
        for other_rule in catalogue()
        if rule.upper() == other_rule.code or rule in other_rule.known_as
    ]
    if not found:
        names = [name for rule in catalogue() for name in (rule.code, rule.name)]
        near = difflib.get_close_matches(rule, names, 1)
        hint = f" Did you mean {near[0]}?" if near else " `otherside rules` lists them."
        msg = f"unknown rule {rule}.{hint}"
        raise click.UsageError(msg)
    item = found[0]
    if as_json:
        click.echo(json.dumps(rule_document(item), indent=2))
        return
    click.echo(f"{item.code} {item.name}  ({item.severity.value}; spoils {item.step.value})\n")
    click.echo(item.page.strip())
    click.echo(f"\n## Touches\n{', '.join(item.controls)}")
