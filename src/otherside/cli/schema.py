"""`otherside schema`: the JSON Schema of the design document."""

import json

import click

from otherside.design.document import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of otherside.toml, for editors.

    \b
    Example:
      otherside schema > otherside.schema.json
    """
    click.echo(json.dumps(json_schema(), indent=2, sort_keys=True))
