"""The code that ships to Lambda: only `core`, `failover`, `regions` and `version`."""

import hashlib
import zipfile
from importlib.resources import files
from pathlib import Path

import pulumi

ROOMS = ("core", "failover")


def bundle_files() -> dict[str, Path]:
    """Return the bundle's contents: paths inside it, mapped to their source files."""
    package = Path(str(files("otherside")))
    sources = [package / f"{name}.py" for name in ("__init__", "regions", "version")]
    for room in ROOMS:
        sources += sorted((package / room).rglob("*.py"))
    return {f"otherside/{source.relative_to(package).as_posix()}": source for source in sources}


def bundle_digest() -> str:
    """Return a digest of the shipped code, which the functions put into every record."""
    digest = hashlib.sha256()
    for inside, source in sorted(bundle_files().items()):
        digest.update(f"{inside}\0{source.stat().st_size}\0".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def write_bundle(file: Path) -> None:
    """Write the bundle as one archive; the same code gives the same archive, byte for byte.

    This is for deployments without Pulumi, and the tests run it.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, source in sorted(bundle_files().items()):
            entry = zipfile.ZipInfo(inside)  # dated 1980, with no particular owner
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, source.read_bytes(), zipfile.ZIP_DEFLATED)


def bundle() -> pulumi.AssetArchive:
    """Return the bundle as Pulumi uploads it; the same files give the same archive."""
    return pulumi.AssetArchive(
        {inside: pulumi.FileAsset(source) for inside, source in bundle_files().items()}
    )
