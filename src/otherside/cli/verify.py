"""`otherside verify`: check that a bundle of evidence is what it was when it was written."""

import json
from pathlib import Path

import click

from otherside.operate.evidence_bundle import BadBundleError, verify_bundle


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--digest", help="The digest that was kept elsewhere.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(*, bundle: Path, digest: str | None, as_json: bool) -> None:
    """Check BUNDLE: every file's digest, the chain over them, and nothing missing or added.

    Without --digest this proves only that the bundle is whole: whoever can write one could write
    another. With the digest that was noted when it was made, it proves that it is that one.

    \b
    Examples:
      otherside verify incident.zip
      otherside verify incident.zip --digest 4be1…

    Exit codes: 0 it is what it was, 1 it is not or is no bundle, 2 bad usage.
    """
    if not bundle.exists():
        msg = f"{bundle}: no such file"
        raise click.UsageError(msg)
    try:
        found = verify_bundle(bundle)
    except BadBundleError as error:
        raise click.ClickException(str(error)) from None
    if digest is not None and digest.lower() != found.digest:
        msg = f"{bundle} is whole, but its digest is {found.digest}: it is another bundle"
        raise click.ClickException(msg)
    if as_json:
        told = {"digest": found.digest, "about": dict(found.about), "files": list(found.files)}
        click.echo(json.dumps({"schema_version": 1, **told}, indent=2))
        return
    click.echo(f"{bundle}: {', '.join(found.files)}\ndigest {found.digest}")
    if digest is None:
        click.echo("whole; pass --digest to prove that it is the one that was made")
