"""Read the code in a function's bundle, if the bundle is stored beside the input."""

import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otherside.check.model.values import Code, Unknown, Value

_FILE_MAX = 1 << 18
_FILES_MAX = 200
_ARCHIVES = {".zip", ".jar"}
_UNREADABLE = (
    *(OSError, EOFError, ValueError, RuntimeError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What an archive that is none, or is broken, may raise."""
_ENCRYPTED = 1
"""The flag of an archive's file that has a password."""
_TEXT = {".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".json", ".rb", ".sh"}


def code_of_directory(directory: Path) -> Code | Unknown:
    """Return the files of a directory, with the text of those that are code."""
    if not directory.is_dir():
        return Unknown(why=f"in {directory.name}, which is not here")
    found: list[tuple[str, str | None]] = []
    packages: list[tuple[str, str | None]] = []
    for here, inner, names in os.walk(directory):
        if "node_modules" in inner:
            packages += _packages(directory, Path(here, "node_modules"))
        inner[:] = sorted(set(inner) - {"node_modules", ".git"})
        for name in sorted(names)[: _FILES_MAX - len(found)]:
            file = Path(here, name)
            found.append((file.relative_to(directory).as_posix(), _text(file)))
        if len(found) >= _FILES_MAX:
            break
    return Code((*found, *packages), whole=len(found) < _FILES_MAX)


def _packages(directory: Path, modules: Path) -> list[tuple[str, str | None]]:
    """Return the packages of a `node_modules`, as directories that nobody looks into."""
    return [
        (f"{package.relative_to(directory).as_posix()}/", None)
        for pattern in ("[!@.]*", "@*/*")
        for package in sorted(modules.glob(pattern))
    ]


def code_of_path(path: Path) -> Code | Unknown:
    """Return the code of a directory, of an archive or of one file."""
    try:
        return code_of_directory(path) if path.is_dir() else code_of_file(path)
    except OSError as error:  # a name that is too long is no name of a file
        return Unknown(why=f"in {path.name[:80]}, which cannot be read: {error.strerror}")


def code_of_zip(file: Path) -> Code | Unknown:
    """Return the files of a zip archive, with the text of those that are code."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            found = [(entry.filename, _packed(archive, entry)) for entry in entries[:_FILES_MAX]]
    except _UNREADABLE as error:
        return Unknown(why=f"in {file.name}, which cannot be read: {type(error).__name__}")
    return Code(tuple(found), whole=len(entries) <= _FILES_MAX)


def _packed(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str | None:
    """Return the text of one file of an archive; what claims to be small is not believed."""
    if Path(entry.filename).suffix not in _TEXT or entry.flag_bits & _ENCRYPTED:
        return None
    try:
        with archive.open(entry) as packed:
            raw = packed.read(_FILE_MAX + 1)
        return raw.decode("utf-8") if len(raw) <= _FILE_MAX else None
    except _UNREADABLE:
        return None


def code_of_file(file: Path) -> Code | Unknown:
    """Return one file of code, or what an archive of code holds."""
    if not file.is_file():
        return Unknown(why=f"in {file.name}, which is not here")
    if file.suffix in _ARCHIVES:
        return code_of_zip(file)
    return Code(((file.name, _text(file)),), whole=True)


def _text(file: Path) -> str | None:
    try:
        if file.suffix not in _TEXT or not file.is_file() or file.stat().st_size > _FILE_MAX:
            return None
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _without(code: Code, excluded: Value) -> Code:
    """Return code without the files that an archive leaves out: by path, by pattern, below one."""
    if not isinstance(excluded, list):
        return code if not excluded else Code(code.files)
    if not all(isinstance(item, str) for item in excluded):
        return Code(code.files)
    kept = tuple(
        item
        for item in code.files
        if not any(
            _matches(out, item[0]) or item[0].startswith(f"{out.rstrip('/')}/") for out in excluded
        )
    )
    return Code(kept, whole=code.whole)


def _matches(pattern: str, path: str) -> bool:
    """Return whether a path fits a pattern in which `*` stays within a directory, `**` does not."""
    pieces = re.split(r"(\*\*/?|\*|\?)", pattern)
    known = {"*": "[^/]*", "?": "[^/]", "**": ".*", "**/": "(?:.*/)?"}
    return bool(re.fullmatch("".join(known.get(part) or re.escape(part) for part in pieces), path))


def code_of_archive(raw: Mapping[str, Any], beside: Path) -> Value:
    """Return what an `archive_file` packs: inline sources, a file or a directory."""
    blocks = raw.get("source")
    if isinstance(blocks, list) and blocks:
        files = tuple(
            (
                str(block.get("filename")),
                block["content"] if isinstance(block.get("content"), str) else None,
            )
            for block in blocks
            if isinstance(block, Mapping)
        )
        return Code(files, whole=True)
    content = raw.get("source_content")
    if content is not None:
        named = str(raw.get("source_content_filename"))
        return Code(((named, content if isinstance(content, str) else None),), whole=True)
    for key, read in (("source_file", code_of_file), ("source_dir", code_of_directory)):
        value = raw.get(key)
        if isinstance(value, str) and value:
            path = Path(value.replace("${path.module}/", "").replace("${path.root}/", ""))
            found = read(path if path.is_absolute() else beside / path)
            if isinstance(found, Unknown):
                return Code(((path.name, None),), whole=key == "source_file")
            return _without(found, raw.get("excludes"))
    return None
