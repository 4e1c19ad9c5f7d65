"""`otherside report`: rebuild a drill's report from its journal."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from otherside.version import __version__


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
def report(*, journal: Path, output: Path | None, bundle: Path | None) -> None:
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
        msg = "this needs jinja2: pip install 'otherside[drill]'"
        raise click.UsageError(msg)
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
    click.echo(f"{result.verdict.upper()}: {page}")
    if bundle is not None:
        place = journal if journal.is_dir() else journal.parent
        _bundle(
            bundle, [*sorted(place.glob("*.jsonl")), *sorted(page.parent.glob("report.*"))], name
        )


def _bundle(file: Path, files: Sequence[Path], scenario: str) -> None:
    """Write a drill's recording and report as evidence."""
    from otherside.operate.evidence_bundle import write_bundle  # noqa: PLC0415 - when asked

    about = {"drill": scenario, "made_by": f"otherside {__version__}"}
    try:
        made = write_bundle(file, {item.name: item.read_bytes() for item in files}, about)
    except OSError as error:
        msg = f"{file}: cannot be written: {error.strerror}"
        raise click.ClickException(msg) from None
    click.echo(f"{file}: {len(made.files)} files\ndigest {made.digest}")
