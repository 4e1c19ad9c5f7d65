"""Pulumi's JSON: `stack export`, `preview --json` and state files."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from posixpath import normpath
from typing import Any

from otherside.check.model.arn import is_region
from otherside.check.model.graph import GLOBAL, Place, Resource, is_global
from otherside.check.model.schema import by_pulumi, camel
from otherside.check.model.values import Code, Password, PasswordOrigin, Ref, Unknown, Value
from otherside.check.readers.normalize import (
    Dialect,
    attributes_of,
    finish,
    pulumi_path,
    unknown_properties,
)
from otherside.check.readers.source import code_of_path
from otherside.check.readers.terraform.plan_json import region_in, suppressed_by_tags

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key that marks what JSON cannot express; sdk/go/common/resource/sig/sig.go in pulumi/pulumi."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a type marker, not a secret
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN = (
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
)
"""What a preview writes for a value that it does not know yet, one for each type."""
_PROVIDER = "pulumi:providers:"
_GONE = {"delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"}
_DEPTH_MAX = 200


def _code(value: Value) -> Code | Unknown | None:
    return value if isinstance(value, (Code, Unknown)) else None


DIALECT = Dialect("pulumi", pulumi_path, _code)


class Stack:
    """One stack's resources, and the origin of their values."""

    def __init__(self, document: Mapping[str, Any], file: str) -> None:
        self.file = file
        self.raw = [
            resource for resource in _resources(document) if isinstance(resource.get("urn"), str)
        ]
        self.config: Mapping[str, Any] = document.get("config") or {}
        self.regions = {
            str(item["urn"]): _region_input(item)
            for item in self.raw
            if str(item.get("type", "")).startswith(_PROVIDER)
        }
        self.short = _unseen(document)
        self.referred: list[Any] = list(document.get("stack_references") or ())
        """What a program that was run refers to; a state has it as resources."""

    def own_names(self) -> set[str]:
        """Return the names of what this is the state of: PROJECT/STACK."""
        found = set()
        for item in self.raw:
            stack, _, project = str(item["urn"]).removeprefix("urn:pulumi:").partition("::")
            found.add(f"{project.partition('::')[0]}/{stack}")
        return found

    def references(self) -> dict[str, str]:
        """Return the stacks that it refers to, as PROJECT/STACK, by what it calls them."""
        named = self.referred + [
            _mapping(item.get("inputs")).get("name")
            for item in self.raw
            if item.get("type") == "pulumi:pulumi:StackReference"
        ]
        return {name: "/".join(name.split("/")[-2:]) for name in named if isinstance(name, str)}

    def load(self) -> Iterator[Resource]:
        """Yield every provider and every resource that a provider manages."""
        for item in self.raw:
            if item.get("delete") or item.get("custom") is False:
                continue
            yield from self._resource(item)

    def _resource(self, raw: Mapping[str, Any]) -> list[Resource]:
        urn, token = str(raw["urn"]), str(raw.get("type") or urn_type(str(raw["urn"])))
        kind = by_pulumi().get(token)
        provider = str(raw.get("provider") or "").rpartition("::")[0]
        resource = Resource(
            id=f"{self.file}#{urn}",
            name=urn,
            kind="provider" if token == f"{_PROVIDER}aws" else (kind.name if kind else token),
            type=token,
            region=None,
            place=Place(self.file),
            dialect="pulumi",
            stack=self.file,
            provider=provider.rpartition("::")[2],
        )
        inputs, outputs = _mapping(raw.get("inputs")), _mapping(raw.get("outputs"))
        if isinstance(raw.get("ignoreChanges"), list):
            resource.ignored = tuple(str(ignore_change) for ignore_change in raw["ignoreChanges"])
        if resource.kind == "provider":
            resource.region = self.regions.get(urn)
            settings = {
                k: v for k, v in inputs.items() if k != "version" and not k.startswith("__")
            }
            default = urn.rpartition("::")[2].startswith("default")
            resource.attributes = {"settings": settings, "module": "", "default": default}
            return [resource]
        resource.region = self._region(resource, inputs, outputs, provider)
        resource.suppressed = suppressed_by_tags(self._tags(inputs, raw))
        if kind is None:
            return [resource]
        values = {key: self._plain(value, key, raw) for key, value in inputs.items()}
        resource.attributes = attributes_of(values, kind.attributes, DIALECT)
        for name in {"id", "arn", *kind.identities}:
            made = outputs.get(camel(name))
            if name not in resource.attributes and isinstance(made, str) and made:
                resource.attributes[name] = made
        if isinstance(raw.get("id"), str) and raw["id"] not in UNKNOWN:
            resource.attributes["id"] = raw["id"]
        resource.unknown_properties = unknown_properties(inputs, kind, "pulumi")
        return finish(resource)

    def _tags(self, inputs: Mapping[str, Any], raw: Mapping[str, Any]) -> object:
        return self._plain(inputs.get("tags"), "tags", raw)

    def _region(
        self,
        resource: Resource,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any],
        provider: str,
    ) -> str | None:
        if is_global(resource.kind):
            return GLOBAL
        own = inputs.get("region") or outputs.get("region")
        if is_region(own):
            return str(own)
        known = self.regions.get(provider) or self.config.get("aws:region")
        if is_region(known):
            return str(known)
        return region_in({**outputs, **inputs})

    def _plain(self, value: Value, key: str, raw: Mapping[str, Any], depth: int = 0) -> Value:
        """Return a value without Pulumi's wrappers; an unknown one keeps only its dependencies."""
        if isinstance(value, str):
            return self._unknown(key, raw) if any(item in value for item in UNKNOWN) else value
        if depth > _DEPTH_MAX:
            return Unknown(why="nested too deeply")
        if isinstance(value, list):
            return [self._plain(item, key, raw, depth + 1) for item in value]
        if not isinstance(value, Mapping):
            return value
        match value.get(SIGNATURE):
            case None:
                found = {k: self._plain(v, key, raw, depth + 1) for k, v in value.items()}
                return {k: v for k, v in found.items() if v is not None}
            case signature if signature == SECRET:
                return self._secret(value, key, raw)
            case signature if signature == REFERENCE:
                return Unknown(refs=(Ref(f"{self.file}#{value.get('urn')}", "id"),))
            case signature if signature in {ARCHIVE, ASSET}:
                return _bundle(value, Path(self.file).parent)
            case signature if signature == OUTPUT:
                return self._later(value, key, raw, depth)
            case _:
                return value

    def _later(
        self, value: Mapping[str, Any], key: str, raw: Mapping[str, Any], depth: int
    ) -> Value:
        """Return an output: what it is of, if that is told, or its value, if that is known."""
        if value.get("attribute") is not None:
            named = re.sub(r"(?<!^)(?=[A-Z])", "_", str(value["attribute"])).lower()
            sources = value.get("dependencies") or ()
            return Unknown(refs=tuple(Ref(f"{self.file}#{urn}", named) for urn in sources))
        inner = value.get("value")
        return self._unknown(key, raw) if inner is None else self._plain(inner, key, raw, depth + 1)

    def _secret(self, value: Mapping[str, Any], key: str, raw: Mapping[str, Any]) -> Value:
        """Return a secret as its dependencies, or as a password with its origin."""
        if self._depends(key, raw):
            return Unknown(refs=tuple(self._depends(key, raw)), why="a secret")
        if "given" in value:
            return Password(PasswordOrigin(value["given"]))
        return Password(PasswordOrigin.HIDDEN)

    def _depends(self, key: str, raw: Mapping[str, Any]) -> list[Ref]:
        found = (raw.get("propertyDependencies") or {}).get(key) or ()
        return [Ref(f"{self.file}#{urn}") for urn in found]

    def _unknown(self, key: str, raw: Mapping[str, Any]) -> Unknown:
        return Unknown(refs=tuple(self._depends(key, raw)))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def urn_type(urn: str) -> str:
    """Return the type in a URN."""
    parts = urn.split("::", 3)
    return parts[2].rpartition("$")[2] if len(parts) > 2 else ""  # noqa: PLR2004 - a URN's parts


def _region_input(raw: Mapping[str, Any]) -> str | None:
    for part in ("inputs", "outputs"):
        value = (raw.get(part) or {}).get("region")
        if is_region(value):
            return str(value)
    return None


def _resources(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the raw resources of any document shape that Pulumi writes."""
    steps = document.get("steps")
    if isinstance(steps, list):
        seen: dict[str, Mapping[str, Any]] = {}
        for step in steps:
            if isinstance(step, Mapping) and step.get("op") not in _GONE:
                state = step.get("newState")
                if isinstance(state, Mapping):
                    seen[str(step.get("urn") or state.get("urn"))] = {
                        "urn": step.get("urn"),
                        "provider": step.get("provider"),
                        **state,
                    }
        yield from seen.values()
        return
    inner = document.get("checkpoint") or document
    deployment = inner.get("latest") or inner.get("deployment") or inner
    for resource in (deployment.get("resources") or ()) if isinstance(deployment, Mapping) else ():
        if isinstance(resource, Mapping):
            yield resource


def _unseen(document: Mapping[str, Any]) -> int:
    """Return how many unchanged resources a preview counts but does not show."""
    if not isinstance(document.get("steps"), list):
        return 0
    same = (document.get("changeSummary") or {}).get("same") or 0
    shown = sum(1 for step in document["steps"] if step.get("op") == "same")
    return max(0, int(same) - shown)


def _bundle(value: Mapping[str, Any], beside: Path) -> Code | Unknown:
    """Return the files of an asset or an archive; it may be stored beside the input."""
    if isinstance(value.get("text"), str):
        return Code((("asset", value["text"]),), whole=True)
    inner = value.get("assets")
    if not isinstance(inner, Mapping):
        where = value.get("path") or value.get("uri")
        if not where:
            return Unknown(why="an archive that is not shown")
        found = code_of_path(beside / str(where))
        return found if isinstance(found, Code) else Code(((str(where), None),))
    files: list[tuple[str, str | None]] = []
    whole = True
    for name, asset in sorted(inner.items()):
        if isinstance(asset, Mapping) and isinstance(asset.get("assets"), Mapping):
            nested = _bundle(asset, beside)
            assert isinstance(nested, Code)
            files.extend((normpath(f"{name}/{path}"), text) for path, text in nested.files)
            whole = whole and nested.whole
        elif isinstance(asset, Mapping):
            files.append((str(name), asset["text"] if isinstance(asset.get("text"), str) else None))
            whole = whole and asset.get(SIGNATURE) != ARCHIVE
    return Code(tuple(files), whole=whole)
