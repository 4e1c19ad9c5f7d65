"""`otherside report`: rebuild a drill's report from its journal."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otherside.extras import needs
from otherside.version import __version__

if TYPE_CHECKING:
    from otherside.operate.evidence_bundle import Bundle


@click.command()
@click.argument("journal", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory to write to. Default: the journal's directory.",
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the recording and the report as evidence; `otherside verify` checks it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict and the files as JSON.")
def report(*, journal: Path, output: Path | None, bundle: Path | None, as_json: bool) -> None:
    """Rebuild a drill's report from JOURNAL: its directory, or the journal.jsonl in it.

    An interrupted drill has a journal, too. Its report says that it was interrupted and claims
    nothing that was not observed.

    \b
    Examples:
      otherside report drills/2026-01-31T120000/lost-region
      otherside report drills/2026-01-31T120000/lost-region --output /tmp/report
      otherside report drills/2026-01-31T120000/lost-region --bundle evidence.zip

    Exit codes: 0 report written, 2 the journal is missing or cannot be read.
    """
    if find_spec("jinja2") is None:
        raise click.UsageError(needs("a report", "jinja2", "drill"))
    from otherside.drill.catalogue import CATALOGUE  # noqa: PLC0415 - an extra
    from otherside.drill.recording import Recording, UnreadableJournalError  # noqa: PLC0415 - an extra
    from otherside.drill.report import write_report  # noqa: PLC0415 - an extra
    from otherside.drill.result import conclude  # noqa: PLC0415 - an extra

    if not journal.exists():
        msg = f"{journal}: no such journal"
        raise click.UsageError(msg)
    try:
        recording = Recording.read(journal)
    except UnreadableJournalError as error:
        raise click.UsageError(str(error)) from None
    name = recording.head.scenario
    scenario = next((item for item in CATALOGUE if item.name == name), None)
    if scenario is None:
        msg = f"{journal}: recorded for scenario {name}, which this version does not know"
        raise click.UsageError(msg)
    directory = output or (journal if journal.is_dir() else journal.parent)
    result = conclude(recording, scenario.all_claims)
    page = write_report(result, directory)
    told: dict[str, object] = {"verdict": result.verdict, "page": str(page)}
    if not as_json:
        click.echo(f"{result.verdict.upper()}: {page}")
    if bundle is not None:
        place = journal if journal.is_dir() else journal.parent
        files = [*sorted(place.glob("*.jsonl")), *sorted(page.parent.glob("report.*"))]
        made = _bundle(bundle, files, name)
        told |= {"bundle": str(bundle), "digest": made.digest}
        if not as_json:
            click.echo(f"{bundle}: {len(made.files)} files\ndigest {made.digest}")
    if as_json:
        click.echo(json.dumps(told))


def _bundle(file: Path, files: Sequence[Path], scenario: str) -> "Bundle":
    """Write a drill's recording and report as evidence."""
    from otherside.operate.evidence_bundle import write_bundle  # noqa: PLC0415 - when asked

    about = {"drill": scenario, "made_by": f"otherside {__version__}"}
    try:
        return write_bundle(file, {item.name: item.read_bytes() for item in files}, about)
    except OSError as error:
        msg = f"{file}: cannot be written: {error.strerror}"
        raise click.ClickException(msg) from None
