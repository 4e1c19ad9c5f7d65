"""An evidence bundle: files in one archive, with a chain of digests over all of them.

The chain's last digest, kept elsewhere, proves later that nothing was added, removed or changed.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
SCHEMA = 1
_FIRST = "0" * 64


class BadBundleError(ValueError):
    """A file is no bundle, or not what it was; the message names the file in it and the cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that was written or verified."""

    digest: str
    """The last digest of the chain."""
    about: Mapping[str, Any]
    """What it is about: the application, the time, the code."""
    files: tuple[str, ...]


def write_bundle(file: Path, contents: Mapping[str, bytes], about: Mapping[str, Any]) -> Bundle:
    """Write a bundle as a whole; the same contents give the same archive.

    Raises:
        OSError: If it cannot be written.
    """
    listed, digest = [], _FIRST
    for name in sorted(contents):
        found = hashlib.sha256(contents[name]).hexdigest()
        digest = _next(digest, name, found)
        listed.append({"name": name, "sha256": found, "chain": digest})
    manifest = {"schema_version": SCHEMA, "about": dict(about), "files": listed, "digest": digest}
    aside = file.with_name(f".{file.name}.new")
    try:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            _add(archive, MANIFEST, json.dumps(manifest, indent=2, sort_keys=True).encode())
            for name in sorted(contents):
                _add(archive, name, contents[name])
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
    return Bundle(digest=digest, about=about, files=tuple(sorted(contents)))


_DAMAGED = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What the archive's reader raises for bytes that nobody wrote so."""


def verify_bundle(file: Path) -> Bundle:
    """Return a bundle whose files are what its manifest says.

    Raises:
        BadBundleError: If one is not, or the file is no bundle.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _verified(archive)
    except _DAMAGED as error:
        msg = f"{file}: no bundle, or a damaged one: {str(error) or type(error).__name__}"
        raise BadBundleError(msg) from None


def _verified(archive: zipfile.ZipFile) -> Bundle:
    names = archive.namelist()
    try:
        manifest = json.loads(archive.read(MANIFEST))
        listed = [(str(item["name"]), str(item["sha256"])) for item in manifest["files"]]
        said, about = str(manifest["digest"]), dict(manifest["about"])
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{MANIFEST}: missing or not one of ours: {type(error).__name__}"
        raise BadBundleError(msg) from None
    expected = sorted([MANIFEST, *(name for name, _ in listed)])
    if sorted(names) != expected:
        apart = sorted(set(names) ^ set(expected)) or ["one is there twice"]
        msg = f"the files are not those of the manifest: {', '.join(apart)}"
        raise BadBundleError(msg)
    digest = _FIRST
    for name, recorded in listed:
        found = hashlib.sha256(archive.read(name)).hexdigest()
        if found != recorded:
            msg = f"{name}: its content was changed"
            raise BadBundleError(msg)
        digest = _next(digest, name, found)
    if digest != said:
        msg = f"{MANIFEST}: the chain of digests does not end in {said[:12]}…"
        raise BadBundleError(msg)
    return Bundle(digest=digest, about=about, files=tuple(name for name, _ in listed))


def _next(digest: str, name: str, found: str) -> str:
    return hashlib.sha256(f"{digest}\0{name}\0{found}".encode()).hexdigest()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name)  # dated 1980, so that the same contents give the same archive
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
