"""Exports a declaration in the format of `pulumi stack export`, for tools that read stacks.

It contains no secrets. A placeholder for each secret records its origin, as far as a program that
ran in this process shows it: a literal, or a value that was given or generated.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi import Archive, Asset

from otherside.check.model.values import Code, PasswordOrigin
from otherside.check.readers.pulumi.stack import (
    ARCHIVE,
    ASSET,
    OUTPUT,
    SECRET,
    SIGNATURE,
    UNKNOWN,
)
from otherside.check.readers.source import code_of_zip
from otherside.program.imagined import is_imagined
from otherside.program.mock_outputs import PASSWORD
from otherside.program.monitor import SECRET as HIDDEN
from otherside.program.monitor import Declaration, RegisteredResource

_TEXT_MAX = 1 << 20


def as_export(declaration: Declaration) -> dict[str, Any]:
    """Return the state that deploying this declaration would leave, without its secrets."""
    identifiers = {resource.urn: resource.id for resource in declaration.resources}
    origins = _origins(declaration)
    return {
        "version": 3,
        "deployment": {
            "resources": [
                _resource(resource, identifiers, origins) for resource in declaration.resources
            ]
        },
    }


Origins = Mapping[str, Mapping[str, Any]]
"""What an imagined text is an output of, as Pulumi writes an output that it does not know."""


def _origins(declaration: Declaration) -> Origins:
    """Return the output that each imagined text is, if it is the output of one resource."""
    found: dict[str, Mapping[str, Any]] = {}
    shared = set()
    for resource in declaration.resources:
        for key, value in resource.outputs.items():
            if isinstance(value, str) and is_imagined(value) and key not in resource.inputs:
                shared |= {value} & set(found)
                found[value] = {
                    SIGNATURE: OUTPUT,
                    "dependencies": [resource.urn],
                    "attribute": key,
                }
    return {text: origin for text, origin in found.items() if text not in shared}


def _resource(
    registered_resource: RegisteredResource, identifiers: Mapping[str, str], origins: Origins
) -> dict[str, Any]:
    inputs = {
        key: _value(value, key, registered_resource.secrets, origins)
        for key, value in registered_resource.inputs.items()
    }
    # Only what is unknown needs its sources: everything else is known by its value.
    sources = {
        key: list(registered_resource.sources[key])
        for key, value in registered_resource.inputs.items()
        if key in registered_resource.sources and _holds_imagined(value)
    }
    hidden = {
        path.split(".", 1)[0] for path in registered_resource.secrets
    } | registered_resource.secret_outputs
    outputs = {
        key: value
        for key, value in registered_resource.outputs.items()
        if key not in hidden and not isinstance(value, Asset | Archive)
    }
    provider = (
        f"{registered_resource.provider}::{identifiers.get(registered_resource.provider, '')}"
        if registered_resource.provider
        else ""
    )
    return {
        "urn": registered_resource.urn,
        "type": registered_resource.type,
        "custom": registered_resource.custom,
        "id": registered_resource.id,
        "parent": registered_resource.parent,
        "provider": provider,
        "inputs": inputs,
        "propertyDependencies": sources,
        "outputs": {key: _output(value, key) for key, value in outputs.items()},
        "dependencies": list(registered_resource.dependencies),
        "ignoreChanges": list(registered_resource.ignore_changes),
        "protect": registered_resource.protect,
    }


def _output(value: Any, key: str) -> Any:  # noqa: ANN401 - any property value
    """Return an output; an imagined text stays, for it may be what others know the resource by."""
    return value if isinstance(value, str) else _value(value, key, frozenset(), {})


def _holds_imagined(value: object) -> bool:
    """Return whether a value was imagined, or something in it."""
    if isinstance(value, Mapping):
        return any(_holds_imagined(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_imagined(item) for item in value)
    return is_imagined(value)


def _value(value: Any, path: str, secrets: frozenset[str], origins: Origins) -> Any:  # noqa: ANN401 - any property value
    if path in secrets:
        return {SIGNATURE: SECRET, "given": _kept(value)}
    if is_imagined(value):
        return origins.get(str(value), UNKNOWN[0])
    if isinstance(value, dict):
        return {key: _value(item, f"{path}.{key}", secrets, origins) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(item, f"{path}.{at}", secrets, origins) for at, item in enumerate(value)]
    return _bundle(value) if isinstance(value, Asset | Archive) else value


def _kept(value: object) -> str:
    """Return a secret's origin: a literal, unless a setting or a data source gave it."""
    known = isinstance(value, str) and value and not is_imagined(value)
    if known and PASSWORD not in str(value) and HIDDEN not in str(value):
        return PasswordOrigin.LITERAL
    return PasswordOrigin.GIVEN


def _bundle(value: Asset | Archive) -> dict[str, Any]:
    mark = ASSET if isinstance(value, Asset) else ARCHIVE
    inside = getattr(value, "assets", None)
    if isinstance(inside, dict):
        return {SIGNATURE: mark, "assets": {key: _bundle(item) for key, item in inside.items()}}
    text = getattr(value, "text", None)
    if text is not None:
        return {SIGNATURE: mark, "text": text}
    path = getattr(value, "path", None)
    if path is not None and Path(path).is_dir():
        found = [other_path for other_path in sorted(Path(path).rglob("*")) if _is_code(other_path)]
        texts = {
            other_path.relative_to(path).as_posix(): {
                SIGNATURE: ASSET,
                "text": other_path.read_text("utf-8"),
            }
            for other_path in found
        }
        return {SIGNATURE: mark, "assets": texts}
    packed = code_of_zip(Path(path)) if path is not None and zipfile.is_zipfile(path) else None
    if isinstance(packed, Code):
        return {SIGNATURE: mark, "assets": {name: _member(text) for name, text in packed.files}}
    if path is not None and _is_code(Path(path)):
        return {SIGNATURE: mark, "text": Path(path).read_text("utf-8")}
    return {SIGNATURE: mark, "path": str(path or getattr(value, "uri", ""))}


def _member(text: str | None) -> dict[str, Any]:
    return {SIGNATURE: ASSET} | ({} if text is None else {"text": text})


def _is_code(path: Path) -> bool:
    suffixes = {".py", ".js", ".mjs", ".ts", ".json", ".rb", ".sh"}
    return path.is_file() and path.suffix in suffixes and path.stat().st_size < _TEXT_MAX
