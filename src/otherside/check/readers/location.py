"""Validate the shape of an input document, and find the lines of its resources."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from otherside.check.readers.cloudformation.yaml_text import Mapped
from otherside.check.readers.input_error import InputError

_KEY = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:')
_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    type(None): "null",
}
_SHAPES: Mapping[tuple[str, ...], type] = {
    ("resource_changes",): list,
    ("planned_values",): dict,
    ("configuration",): dict,
    ("variables",): dict,
    ("prior_state",): dict,
    ("deployment",): dict,
    ("deployment", "resources"): list,
    ("checkpoint",): dict,
    ("checkpoint", "latest"): dict,
    ("checkpoint", "latest", "resources"): list,
    ("steps",): list,
    ("artifacts",): dict,
    ("Resources",): dict,
}
_OPTIONAL = {"planned_values", "configuration", "variables", "prior_state", "resources"}


def check_shape(document: object, file: str) -> None:
    """Reject a document whose parts do not have the types that its tool writes.

    Raises:
        InputError: Naming the part, its type and the expected type.
    """
    if not isinstance(document, Mapping):
        raise InputError(file, "no object")
    for path, wanted in _SHAPES.items():
        *around, last = path
        inner: Any = document
        for step in around:
            inner = inner.get(step) if isinstance(inner, Mapping) else None
        if not isinstance(inner, Mapping) or last not in inner:
            continue
        if inner[last] is not None or last not in _OPTIONAL:
            _check_part(inner[last], wanted, ".".join(path), file)
    if "lineage" in document and not isinstance(document.get("resources"), (list, type(None))):
        raise InputError(file, "resources is no list")


def _check_part(value: Any, wanted: type, name: str, file: str) -> None:  # noqa: ANN401 - whatever the document holds
    if not isinstance(value, wanted):
        is_, ought = _NAMES.get(type(value), "a number"), _NAMES[wanted]
        raise InputError(file, f"{name} is {is_}, and not {ought}")
    if isinstance(value, list) and any(
        isinstance(element, (int, str, float, list)) for element in value
    ):
        raise InputError(file, f"{name} holds something that is no object")


def line_finder(document: Mapping[str, Any], text: str) -> Callable[[str], int | None]:
    """Return a function that finds a resource's line; it searches the text once, on first use."""
    resources = document.get("Resources")
    if isinstance(resources, Mapped):
        return resources.lines.get
    found: dict[str, int] = {}

    def find(logical: str) -> int | None:
        if not found and text:
            found.update(_key_lines(text))
        return found.get(logical)

    return find


def _key_lines(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    at, line = max(text.find('"Resources"'), 0), 0
    line = text.count("\n", 0, at) + 1
    for match in _KEY.finditer(text, at):
        line += text.count("\n", at, match.start())
        at = match.start()
        found.setdefault(match[1], line)
    return found
