"""`otherside explain`: print one rule's page."""

import difflib
import json
import re
from pathlib import Path

import click

from otherside.check.catalogue import catalogue
from otherside.check.report.findings_document import rule_document
from otherside.check.report.text import DIALECTS
from otherside.cli.ignored import refuse_ignored


@click.command()
@click.argument("rule")
@click.option(
    "--dialect",
    type=click.Choice([*DIALECTS, "all"]),
    help="Whose examples to show. Default: those of the project in this directory, or all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the page as JSON.")
def explain(rule: str, *, dialect: str | None, as_json: bool) -> None:
    """Explain RULE, by code or name: what it finds, why, the fix per dialect, and the impact.

    \b
    Examples:
      otherside explain DR009
      otherside explain headless-secondary-cluster
      otherside explain DR009 --dialect terraform
    """
    if as_json:
        refuse_ignored(("dialect",), "--json has every dialect: leave {option} out")
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
    click.echo(in_dialect(item.page.strip(), dialect or _spoken_here()))
    click.echo(f"\n## Touches\n{', '.join(item.controls)}")


_MARKS = {"pulumi": "Pulumi.yaml", "terraform": "*.tf", "cloudformation": "cdk.json"}
"""Files by which the dialect of a directory is known."""


def _spoken_here() -> str:
    """Return the dialect of this directory's project, or `all` if there is none or several."""
    found = [name for name, mark in _MARKS.items() if any(Path().glob(mark))]
    return found[0] if len(found) == 1 else "all"


def in_dialect(page: str, dialect: str) -> str:
    """Return a rule's page with the snippets of one dialect, or of all."""
    others = [language for name, language in DIALECTS.items() if dialect not in {name, "all"}]
    for language in others:
        page = re.sub(rf"^```{language}\n.*?^```\n+", "", page, flags=re.MULTILINE | re.DOTALL)
    return page
