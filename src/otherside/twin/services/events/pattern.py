"""Event patterns, matched as EventBridge matches them. Pure functions.

All fields must match, a field's values are alternatives, and a list in an event matches if one of
elements does: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from otherside.twin.json_types import JsonObject
from otherside.wildcards import star_pattern

PatternValue = Any
COMBINATIONS_MAX = 1_000
NUMBER_MAX = 5e9
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_MISSING = object()
"""Marks a field that an event does not have."""


class PatternError(ValueError):
    """A pattern that EventBridge refuses; the message says why."""


def fits(pattern: JsonObject, event: PatternValue) -> bool:
    """Return whether an event matches a checked pattern."""
    if isinstance(event, list):
        return any(fits(pattern, item) for item in event)
    held = event if isinstance(event, dict) else {}
    return all(
        any(fits(item, held) for item in wanted)
        if name == "$or"
        else _field(wanted, held.get(name, _MISSING))
        for name, wanted in pattern.items()
    )


def _field(wanted: PatternValue, value: PatternValue) -> bool:
    if isinstance(wanted, dict):
        return fits(wanted, {} if value is _MISSING else value)
    values = value if isinstance(value, list) else [value]
    return any(_value(item, values) for item in wanted)


def _value(wanted: PatternValue, values: list[PatternValue]) -> bool:
    """Return whether one alternative matches any of a field's values."""
    if isinstance(wanted, dict):
        ((operator, operand),) = wanted.items()
        if operator == "exists":
            there = values != [_MISSING] and not all(isinstance(value, dict) for value in values)
            return there is operand
        leaves = [
            value for value in values if value is not _MISSING and not isinstance(value, dict)
        ]
        return any(_OPERATORS[operator](operand, leaf) for leaf in leaves)
    return any(_same(wanted, value) for value in values)


def _same(wanted: PatternValue, value: PatternValue) -> bool:
    """Return whether two leaves are equal; numbers are compared as written."""
    if value is _MISSING or isinstance(value, (dict, list)):
        return False
    return json.dumps(wanted) == json.dumps(value)


def _text(test: Callable[[str, str], bool]) -> Callable[[PatternValue, PatternValue], bool]:
    """Return a string operator whose operand may ask to ignore case."""

    def operator(operand: PatternValue, value: PatternValue) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(operand, dict):
            return test(str(operand["equals-ignore-case"]).lower(), value.lower())
        return test(str(operand), value)

    return operator


def _numeric(operand: PatternValue, value: PatternValue) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    pairs = zip(operand[::2], operand[1::2], strict=True)
    return all(_COMPARE[sign](float(value), float(bound)) for sign, bound in pairs)


def _anything_but(operand: PatternValue, value: PatternValue) -> bool:
    if isinstance(operand, dict):
        ((inner, given),) = operand.items()
        listed = given if isinstance(given, list) else [given]
        return not any(_OPERATORS[inner](item, value) for item in listed)
    return not any(
        _same(item, value) for item in (operand if isinstance(operand, list) else [operand])
    )


def _cidr(operand: PatternValue, value: PatternValue) -> bool:
    try:
        return ipaddress.ip_address(str(value)) in ipaddress.ip_network(str(operand), strict=False)
    except ValueError:
        return False


def _wildcard(operand: PatternValue, value: PatternValue) -> bool:
    """Return whether a text matches a wildcard; a star after a backslash is literal."""
    if not isinstance(value, str):
        return False
    parts = re.split(r"(?<!\\)\*", str(operand))
    pieces = [re.escape(part.replace("\\*", "*")) for part in parts]
    return re.fullmatch(star_pattern(pieces), value, re.DOTALL) is not None


_OPERATORS: Mapping[str, Callable[[PatternValue, PatternValue], bool]] = {
    "prefix": _text(lambda operand, value: value.startswith(operand)),
    "suffix": _text(lambda operand, value: value.endswith(operand)),
    "equals-ignore-case": lambda operand, value: (
        isinstance(value, str) and value.lower() == str(operand).lower()
    ),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "wildcard": _wildcard,
}
_WITHIN = {"prefix", "suffix", "equals-ignore-case", "wildcard"}
"""The operators that `anything-but` may contain."""


def read_pattern(text: str) -> JsonObject:
    """Parse and check an event pattern.

    Raises:
        PatternError: If the pattern is invalid; the message is EventBridge's and says where.
    """
    try:
        pattern = json.loads(text)
    except ValueError as error:
        msg = f"Event pattern is not valid. Reason: {error}"
        raise PatternError(msg) from None
    if not isinstance(pattern, dict) or not pattern:
        msg = "Event pattern is not valid. Reason: Filter is not an object"
        raise PatternError(msg)
    if _check(pattern, "") > COMBINATIONS_MAX:
        msg = "Event pattern is not valid. Reason: too many combinations of $or"
        raise PatternError(msg)
    return pattern


def _check(pattern: JsonObject, path: str) -> int:
    """Refuse an invalid pattern; return its number of combinations of alternatives."""
    combinations = 1
    for name, wanted in pattern.items():
        where = f"{path}.{name}".lstrip(".")
        if name == "$or":
            if not isinstance(wanted, list) or not all(
                isinstance(element, dict) for element in wanted
            ):
                _refuse(where, "must be a list of patterns")
            combinations *= sum(_check(item, path) for item in wanted)
        elif isinstance(wanted, dict):
            if not wanted:
                _refuse(where, "must not be empty")
            combinations *= _check(wanted, where)
        elif isinstance(wanted, list) and wanted:
            for item in wanted:
                _check_value(item, where)
        else:
            _refuse(where, "must be an object or an array that is not empty")
    return combinations


def _check_value(wanted: PatternValue, where: str) -> None:
    if isinstance(wanted, list):
        _refuse(where, "holds an array within an array")
    if not isinstance(wanted, dict):
        return
    if len(wanted) != 1:
        _refuse(where, "holds a match with several operators")
    ((operator, operand),) = wanted.items()
    if operator == "exists":
        if not isinstance(operand, bool):
            _refuse(where, "exists is true or false")
    elif operator not in _OPERATORS:
        _refuse(where, f"Unrecognized match type {operator}")
    elif operator == "numeric":
        _check_numeric(operand, where)
    elif operator == "anything-but" and isinstance(operand, dict) and set(operand) - _WITHIN:
        _refuse(where, f"Unsupported anything-but pattern: {', '.join(operand)}")


def _check_numeric(operand: PatternValue, where: str) -> None:
    pairs = isinstance(operand, list) and operand and len(operand) % 2 == 0
    if not pairs or any(sign not in _COMPARE for sign in operand[::2]):
        _refuse(where, "numeric holds pairs of a comparison and a number")
    if any(
        not isinstance(element, (int, float)) or abs(element) > NUMBER_MAX
        for element in operand[1::2]
    ):
        _refuse(where, "Value of numeric must be a number between -5.0e9 and 5.0e9, inclusive")


def _refuse(where: str, why: str) -> None:
    msg = f'Event pattern is not valid. Reason: "{where}" {why}'
    raise PatternError(msg)
