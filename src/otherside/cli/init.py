"""`otherside init`: create a starter project."""

import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

import click

NAME_MIN, NAME_MAX = 2, 20
FILES = {
    "otherside.toml": "otherside.toml",
    "Pulumi.yaml": "Pulumi.yaml",
    "Pulumi.prod.yaml": "Pulumi.prod.yaml",
    "__main__.py": "__main__.py.txt",
    "requirements.txt": "requirements.txt",
}
"""The files to write, each with its template."""
IGNORE = ".gitignore"
"""Written as well, unless there is one: it is of the repository more often than of the project."""


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", help="Name of the application. Default: the directory's name.")
@click.option("--domain", help="Public name of the application, under a domain that you own.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def init(*, directory: Path, name: str | None, domain: str | None, as_json: bool) -> None:
    """Create a project in DIRECTORY: a configuration, a Pulumi program and a sample application.

    Existing files are never overwritten: if one of the files exists, nothing is written.

    \b
    Examples:
      otherside init orders --domain orders.example.com
      otherside init . --name orders

    A failover redirects users through DNS, so the application needs a public name. The name's
    zone must be delegated before the first deployment can finish.
    """
    chosen = _name_from(directory) if name is None else name
    fits = NAME_MIN <= len(chosen) <= NAME_MAX
    if not fits or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", chosen):
        hint = "; choose one with --name" if name is None else ""
        allowed = f"{NAME_MIN} to {NAME_MAX} of a-z, 0-9 and -"
        msg = f"{chosen!r} is not a valid application name: use {allowed}{hint}"
        raise click.UsageError(msg)
    named = _domain(domain)
    try:
        taken = [file for file in (*FILES, "app") if os.path.lexists(directory / file)]
        if taken:
            msg = f"{directory} already has {', '.join(taken)}; nothing was written"
            raise click.UsageError(msg)
        _write(directory, chosen, named)
    except (OSError, RuntimeError) as error:
        msg = f"{directory} cannot be written: {getattr(error, 'strerror', None) or error}"
        raise click.UsageError(msg) from None
    files = [*FILES, "app/app.py"]
    if as_json:
        click.echo(json.dumps({"name": chosen, "directory": str(directory), "files": files}))
        return
    click.echo(f"Wrote {', '.join(files)} to {directory}.")
    click.echo(f"Next: otherside preview {shlex.quote(str(directory))}")


def _name_from(directory: Path) -> str:
    try:
        name = directory.resolve().name
    except (OSError, RuntimeError):
        name = directory.name
    words = re.sub(r"[^a-z0-9]+", "-", name.lower())
    return words.strip("-")


def _domain(given: str | None) -> str:
    """Return the public name: as given, or as entered at the terminal."""
    if given is None:
        if not sys.stdin.isatty():
            msg = "--domain is required: a public name under a domain that you own"
            raise click.UsageError(msg)
        given = click.prompt("Public name under a domain that you own (such as orders.example.com)")
    chosen = str(given).strip().lower()
    if not re.fullmatch(r"([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]*", chosen):
        msg = f"{chosen!r} is not a domain name such as orders.example.com"
        raise click.UsageError(msg)
    return chosen


def _write(directory: Path, name: str, domain: str) -> None:
    """Write to a temporary directory first, so that an interruption leaves no half-written file."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    beside = directory if directory.exists() else directory.parent  # the same file system
    with tempfile.TemporaryDirectory(dir=beside, prefix=".otherside-") as aside:
        made = Path(aside) / "project"
        made.mkdir()
        scaffold = files("otherside.cli") / "scaffold"
        for target, template in FILES.items():
            text = (scaffold / template).read_text(encoding="utf-8")
            text = text.replace("@@NAME@@", name).replace("@@DOMAIN@@", domain)
            (made / target).write_text(text, encoding="utf-8")
        if not os.path.lexists(directory / IGNORE):
            shutil.copyfile(str(scaffold / "gitignore"), made / IGNORE)
        with as_file(files("otherside") / "agent") as agent:
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(agent, made / "app", ignore=ignore)
        if not directory.exists():
            made.rename(directory)
            return
        for path in sorted(made.iterdir()):
            path.rename(directory / path.name)
