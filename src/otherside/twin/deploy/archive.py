"""Converts Pulumi's assets and archives to bytes."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pulumi


def archive_of(value: Any) -> bytes:  # noqa: ANN401 - Pulumi's asset or archive
    """Return the bytes that Pulumi would upload for an archive or an asset."""
    if isinstance(value, pulumi.FileAsset):
        return Path(str(value.path)).read_bytes()
    if isinstance(value, pulumi.StringAsset):
        return str(value.text).encode()
    if isinstance(value, pulumi.FileArchive) and Path(str(value.path)).is_file():
        return Path(str(value.path)).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_files(value)):
            entry = zipfile.ZipInfo(name)  # dated 1980: the same files give the same archive
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _files(value: Any, prefix: str = "") -> list[tuple[str, bytes]]:  # noqa: ANN401 - as above
    if isinstance(value, pulumi.FileArchive):
        root = Path(str(value.path))
        return [
            (f"{prefix}{path.relative_to(root).as_posix()}", path.read_bytes())
            for path in sorted(root.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        ]
    if isinstance(value, pulumi.AssetArchive):
        found: list[tuple[str, bytes]] = []
        for name, asset in value.assets.items():
            nested = isinstance(asset, pulumi.Archive)
            path = "" if name == "." else f"{prefix}{name}"
            found += _files(asset, f"{path}/" if nested and path else path)
        return found
    return [(prefix, archive_of(value))]
