"""Converts a resource's inputs to the parameters of an AWS call, guided by the call's own model.

Names match regardless of case, values are converted to the model's types, and inputs that match
nothing are reported: if an option vanished silently, a test on the twin would prove nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from otherside.twin.json_types import JsonObject


@dataclass(slots=True)
class Coercion:
    """Conversion of one set of inputs for a call."""

    rename: Mapping[str, str] = field(default_factory=dict)
    """Dotted paths of inputs, without list positions, and their names in the call."""
    drop: frozenset[str] = frozenset()
    """Dotted paths of inputs that are deliberately not part of this call."""
    unmapped: list[str] = field(default_factory=list)

    def structure(self, inputs: JsonObject, shape: StructureShape, path: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return a mapping of inputs as a structure of the model."""
        members = {name.lower(): name for name in shape.members}
        made: JsonObject = {}
        for key, value in inputs.items():
            here = f"{path}.{key}" if path else key
            if value is None or here in self.drop:
                continue
            name = self._member(here, key, members)
            if name is None:
                self.unmapped.append(here)
                continue
            made[name] = self.value(value, shape.members[name], here)
        return made

    def _member(self, here: str, key: str, members: Mapping[str, str]) -> str | None:
        if here in self.rename:
            return self.rename[here]
        low = key.lower()
        for tried in (low, f"{low}s", low.removesuffix("s"), f"{low.removesuffix('y')}ies"):
            if tried in members:
                return members[tried]
        return None

    def value(self, value: Any, shape: Shape, path: str) -> Any:  # noqa: ANN401 - any input
        """Return one value converted to its type in the model."""
        if isinstance(shape, StructureShape):
            if isinstance(value, list):
                if len(value) != 1:
                    self.unmapped.append(f"{path}: {len(value)} items where one is expected")
                    return {}
                value = value[0]
            return self.structure(value, shape, path)
        if isinstance(shape, ListShape):
            if _are_tags(shape) and isinstance(value, dict):
                return [{"Key": key, "Value": str(item)} for key, item in value.items()]
            items = value if isinstance(value, list) else [value]
            return [self.value(item, shape.member, path) for item in items]
        if isinstance(shape, MapShape):
            return {key: self.value(item, shape.value, path) for key, item in value.items()}
        return _scalar(value, shape.type_name)


def _are_tags(shape: ListShape) -> bool:
    member = shape.member
    return isinstance(member, StructureShape) and set(member.members) >= {"Key", "Value"}


def _scalar(value: Any, kind: str) -> Any:  # noqa: ANN401 - any input
    match kind:
        case "string":
            if isinstance(value, bool):
                return str(value).lower()
            return json.dumps(value) if isinstance(value, dict | list) else str(value)
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case "blob":
            return value.encode() if isinstance(value, str) else value
        case _:
            return value
