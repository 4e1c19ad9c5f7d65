"""The code that ships to Lambda: `core` and `orchestrator`, and nothing besides."""

from importlib.resources import files
from pathlib import Path

import pulumi

ROOMS = ("core", "orchestrator")


def bundle_files() -> dict[str, Path]:
    """Return what the bundle holds: paths inside it and the files that they come from."""
    package = Path(str(files("otherside")))
    sources = [package / "__init__.py"]
    for room in ROOMS:
        sources += sorted((package / room).rglob("*.py"))
    return {f"otherside/{source.relative_to(package).as_posix()}": source for source in sources}


def bundle() -> pulumi.AssetArchive:
    """Return the bundle as Pulumi uploads it; the same files give the same archive."""
    return pulumi.AssetArchive(
        {inside: pulumi.FileAsset(source) for inside, source in bundle_files().items()}
    )
