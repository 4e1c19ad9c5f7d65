"""Hold registered inputs against botocore's model of the calls that create the resource."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import botocore.session
from botocore.model import ListShape, Shape, StructureShape

from api_validation.operations import OPERATIONS, Call


@dataclass(frozen=True)
class Refusal:
    """One input that AWS would refuse, or that goes nowhere."""

    path: str
    why: str

    def __str__(self):
        return f"{self.path}: {self.why}"


@dataclass
class Match:
    """What an input's names led to."""

    shape: Shape
    seen: set = field(default_factory=set)


def refusals(resource) -> list[Refusal]:
    """Return what is wrong with a resource's inputs; none where AWS would accept them."""
    call = OPERATIONS.get(resource.type.removeprefix("aws:"))
    if call is None:
        return [Refusal(resource.type, "no operation is known for this type; add it to the table")]
    return list(_check(resource, call))


def _check(resource, call: Call) -> Iterator[Refusal]:
    shapes = [_input(call.service, operation) for operation in call.operations]
    given: set[str] = set()
    for name, value in resource.inputs.items():
        if name in call.elsewhere:
            continue
        target = call.rename.get(name, name)
        shape, member = _member(shapes, target)
        if member is None:
            yield Refusal(name, f"{call.service} {'/'.join(call.operations)} has no such member")
            continue
        given.add(member)
        yield from _value(value, shape, name, call)
    first = shapes[0]
    for required in first.required_members:
        if required not in given and required not in call.made:
            yield Refusal(required, f"is required by {call.service} {call.operations[0]}")


def _member(shapes, name) -> tuple[Shape | None, str | None]:
    """Find a member by name: whole, with its plural, or at the end of a dotted path."""
    for shape in shapes:
        current: Shape = shape
        first = None
        for part in name.split("."):
            while isinstance(current, ListShape):
                current = current.member
            if not isinstance(current, StructureShape):
                break
            found = _similar(part, current)
            if found is None:
                break
            first = first or found
            current = current.members[found]
        else:
            return current, first
    return None, None


def _similar(name: str, shape: StructureShape) -> str | None:
    wanted = _plain(name)
    for member in shape.members:
        plain = _plain(member)
        if plain in {wanted, f"{wanted}s", f"{wanted}es"} or f"{plain}s" == wanted:
            return member
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _value(value, shape: Shape, path: str, call: Call) -> Iterator[Refusal]:
    if value is None:
        return
    match shape.type_name:
        case "structure":
            yield from _structure(value, shape, path, call)
        case "list":
            yield from _list(value, shape, path, call)
        case "map":
            for key, item in dict(value).items():
                yield from _value(key, shape.key, f"{path}.{key}", call)
                yield from _value(item, shape.value, f"{path}.{key}", call)
        case "string":
            yield from _string(value, shape, path)
        case "integer" | "long" | "double" | "float":
            yield from _number(value, shape, path)
        case "boolean":
            if str(value).lower() not in {"true", "false"}:
                yield Refusal(path, f"{value!r} is no boolean")


def _structure(value, shape, path, call) -> Iterator[Refusal]:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list) and _similar("items", shape):
        yield from _value(value, shape.members[_similar("items", shape)], path, call)
        return
    if not isinstance(value, Mapping) and set(shape.members) == {"Value"}:
        yield from _value(value, shape.members["Value"], path, call)
        return
    if not isinstance(value, Mapping):
        yield Refusal(path, f"{value!r} is no structure {shape.name}")
        return
    given = set()
    for name, item in value.items():
        inner = f"{path}.{name}"
        bare = re.sub(r"\.\d+", "", inner)
        if bare in call.elsewhere:
            continue
        member, first = _member([shape], call.rename.get(bare, name))
        if member is None:
            yield Refusal(inner, f"{shape.name} has no such member")
            continue
        given.add(first)
        yield from _value(item, member, inner, call)
    for required in shape.required_members:
        if required not in given and required not in call.made:
            yield Refusal(f"{path}.{required}", f"is required in {shape.name}")


def _list(value, shape, path, call) -> Iterator[Refusal]:
    if isinstance(value, Mapping):  # a map where AWS takes a list: tags, dimensions, filters
        members = getattr(shape.member, "members", {})
        keys = [m for m in members if _plain(m) in {"key", "name", "tagkey"}]
        if len(members) > 2 or not keys:
            yield from _value(value, shape.member, path, call)
            return
        for name in value:
            yield from _value(name, members[keys[0]], f"{path}.{name}", call)
        return
    if not isinstance(value, list):
        value = [value]
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < low or (high is not None and len(value) > high):
        yield Refusal(path, f"has {len(value)} items; {shape.name} takes {low} to {high}")
    for number, item in enumerate(value):
        yield from _value(item, shape.member, f"{path}.{number}", call)


def _string(value, shape, path) -> Iterator[Refusal]:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list):
        value = ",".join(map(str, value))
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, Mapping) and len(value) == 1:  # a block around one word
        value = next(iter(value.values()))
    if isinstance(value, Mapping):
        yield Refusal(path, f"{value!r} is no string")
        return
    text = str(value)
    enum = getattr(shape, "enum", None)
    if enum and text not in enum:
        yield Refusal(path, f"{text!r} is none of {', '.join(sorted(enum)[:12])}")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and len(text) < low) or (high is not None and len(text) > high):
        yield Refusal(path, f"{text[:40]!r} has {len(text)} characters; AWS takes {low} to {high}")
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, text):
        yield Refusal(path, f"{text[:60]!r} does not match {pattern[:80]}")


def _number(value, shape, path) -> Iterator[Refusal]:
    try:
        number = float(value)
    except (TypeError, ValueError):
        yield Refusal(path, f"{value!r} is no number")
        return
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and number < low) or (high is not None and number > high):
        yield Refusal(path, f"{value} is not within {low} to {high}")


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return AWS's pattern for Python, or `None` where it is written for another engine."""
    for java, python in (
        (r"\p{L}", r"\w"),
        (r"\p{Z}", r"\s"),
        (r"\p{N}", r"\d"),
        (r"\p{Alnum}", r"\w"),
    ):
        pattern = pattern.replace(java, python)
    if r"\p{" in pattern or r"\P{" in pattern:
        return None
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None


def _matches(pattern: str, text: str) -> bool:
    compiled = _compiled(pattern)
    if compiled is None:
        return True
    return (
        compiled.fullmatch(text) is not None
        if pattern.startswith("^")
        else bool(compiled.search(text))
    )


@cache
def _input(service: str, operation: str) -> StructureShape:
    return _service(service).operation_model(operation).input_shape


@cache
def _service(name: str):
    return botocore.session.get_session().get_service_model(name)
