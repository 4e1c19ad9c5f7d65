"""`otherside schema`: print the JSON Schema of otherside.toml or of check's JSON output."""

import json
from importlib.resources import files

import click


@click.command()
@click.argument("document", type=click.Choice(["design", "check"]), default="design")
def schema(document: str) -> None:
    """Print the JSON Schema of otherside.toml, or of the JSON output of `otherside check`.

    \b
    Examples:
      otherside schema > otherside.schema.json
      otherside schema check
    """
    if document == "check":
        click.echo((files("otherside.check.report") / "check.schema.json").read_text("utf-8"))
        return
    from otherside.config.document import json_schema  # noqa: PLC0415 - pydantic takes a while

    click.echo(json.dumps(json_schema(), indent=2, sort_keys=True))
