"""The code that ships to Lambda: only `core`, `failover`, `regions` and `version`."""

import ast
import functools
import hashlib
import io
import tempfile
import tokenize
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pulumi

ROOMS = ("core", "failover")


@functools.cache
def bundle_files() -> dict[str, bytes]:
    """Return the bundle's contents by path: the sources without their comments and docstrings."""
    package = Path(str(files("otherside")))
    sources = [package / f"{name}.py" for name in ("__init__", "regions", "version")]
    for room in ROOMS:
        sources += sorted((package / room).rglob("*.py"))
    return {
        f"otherside/{source.relative_to(package).as_posix()}": without_prose(
            source.read_text(encoding="utf-8")
        ).encode()
        for source in sources
    }


def without_prose(source: str) -> str:
    """Return a module's source without comments and docstrings, every line where it was.

    A cold start reads the whole archive, and a third of it would be prose. The lines stay where
    they were, so that a traceback in CloudWatch Logs names the line of the repository.
    """
    lines = [line.encode() for line in source.split("\n")]
    for start, end, instead in sorted(_prose(source), reverse=True):
        before, after = lines[start.line - 1][: start.byte], lines[end.line - 1][end.byte :]
        blank = [b""] * (end.line - start.line)
        lines[start.line - 1 : end.line] = [(before + instead + after).rstrip(), *blank]
    return b"\n".join(lines).decode()


class _Place(NamedTuple):
    """A place in a module, as `ast` counts: lines from 1, bytes from 0."""

    line: int
    byte: int


def _prose(source: str) -> Iterator[tuple[_Place, _Place, bytes]]:
    """Find where each comment and docstring begins and ends, and what has to stand there."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            start = len(token.line[: token.start[1]].encode())
            end = start + len(token.string.encode())
            yield _Place(token.start[0], start), _Place(token.end[0], end), b""
    tree = ast.parse(source)
    of_classes = {id(node.body[0]) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        match node:
            case ast.Expr(
                value=ast.Constant(value=str()), end_lineno=int(line), end_col_offset=int(byte)
            ):
                # Without a text of its own, a dataclass makes one up on each cold start, at some
                # cost. Elsewhere a block may consist of nothing but its docstring.
                instead = b'"-"' if id(node) in of_classes else b"..."
                yield _Place(node.lineno, node.col_offset), _Place(line, byte), instead


def bundle_digest() -> str:
    """Return a digest of the shipped code, which the functions put into every record."""
    digest = hashlib.sha256()
    for inside, content in sorted(bundle_files().items()):
        digest.update(f"{inside}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def write_bundle(file: Path) -> None:
    """Write the bundle as one archive; the same code gives the same archive, byte for byte.

    This is for deployments without Pulumi, and the tests run it.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, content in sorted(bundle_files().items()):
            entry = zipfile.ZipInfo(inside)  # dated 1980, with no particular owner
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def bundle() -> pulumi.AssetArchive:
    """Return the bundle as Pulumi uploads it; the same files give the same archive."""
    at = Path(_directory().name)
    return pulumi.AssetArchive({inside: pulumi.FileAsset(at / inside) for inside in bundle_files()})


@functools.cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    """Return a directory with the bundle in it, which goes when this program ends.

    Pulumi reads an asset while the program waits for the resource, and tells assets apart by
    their content. As text instead of as files, all of it would stand in the state of each
    function.
    """
    made = tempfile.TemporaryDirectory(prefix="otherside-functions-")
    for inside, content in bundle_files().items():
        file = Path(made.name) / inside
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return made
