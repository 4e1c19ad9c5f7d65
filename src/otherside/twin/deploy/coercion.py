"""A resource's inputs, turned into the parameters of AWS's own call by that call's own model.

Names are matched whatever their capitals, values become what the model says they are, and what
matches nothing is told: an option that silently vanishes proves nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


@dataclass(slots=True)
class Coercion:
    """One set of inputs on its way to a call."""

    rename: Mapping[str, str] = field(default_factory=dict)
    """Dotted paths of inputs, without list positions, and what the call names them."""
    drop: frozenset[str] = frozenset()
    """Dotted paths of inputs that are no part of this call, on purpose."""
    unmapped: list[str] = field(default_factory=list)

    def structure(self, inputs: Mapping[str, Any], shape: StructureShape, path: str) -> Any:  # noqa: ANN401 - whatever AWS or JSON has
        """Return a structure of the model from a table of inputs."""
        members = {name.lower(): name for name in shape.members}
        made: dict[str, Any] = {}
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
        """Return one value as the model wants it."""
        if isinstance(shape, StructureShape):
            if isinstance(value, list):
                if len(value) != 1:
                    self.unmapped.append(f"{path}: {len(value)} where one is wanted")
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
