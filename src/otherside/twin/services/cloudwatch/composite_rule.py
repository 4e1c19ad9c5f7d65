"""The rule of a composite alarm: which alarms it asks, and whether it holds."""

import re
from collections.abc import Mapping

_TERM = re.compile(
    r'\s*(AND|OR|NOT|TRUE|FALSE|\(|\)|(ALARM|OK|INSUFFICIENT_DATA)\(\s*"?([^")]+)"?\s*\))'
)


def holds(rule: str, states: Mapping[str, str]) -> bool:
    """Return whether a composite alarm's rule holds, given its children's states.

    Raises:
        ValueError: If the rule cannot be parsed.
    """
    words: list[str] = []
    at = 0
    while at < len(rule.rstrip()):
        found = _TERM.match(rule, at)
        if found is None:
            msg = f"cannot read the rule of a composite alarm at {rule[at : at + 20]!r}"
            raise ValueError(msg)
        if found[2]:
            name = found[3].rpartition(":alarm:")[2] or found[3]
            words.append(str(states.get(name.strip()) == found[2]))
        else:
            words.append(found[1])
        at = found.end()
    value, rest = _or(words)
    if rest:
        msg = f"cannot read the rule of a composite alarm: {rest[0]!r} is one too many"
        raise ValueError(msg)
    return value


def children(rule: str) -> set[str]:
    """Return the names of the alarms that a composite alarm's rule asks.

    Raises:
        ValueError: If the rule cannot be parsed.
    """
    holds(rule, {})
    named = (found[3] for found in _TERM.finditer(rule) if found[2])
    return {(name.rpartition(":alarm:")[2] or name).strip() for name in named}


def _or(words: list[str]) -> tuple[bool, list[str]]:
    value, rest = _and(words)
    while rest and rest[0] == "OR":
        other, rest = _and(rest[1:])
        value = value or other
    return value, rest


def _and(words: list[str]) -> tuple[bool, list[str]]:
    value, rest = _not(words)
    while rest and rest[0] == "AND":
        other, rest = _not(rest[1:])
        value = value and other
    return value, rest


def _not(words: list[str]) -> tuple[bool, list[str]]:
    match words:
        case ["NOT", *rest]:
            value, rest = _not(rest)
            return not value, rest
        case ["(", *rest]:
            value, rest = _or(rest)
            if rest[:1] != [")"]:
                msg = "cannot read the rule of a composite alarm: a bracket is open"
                raise ValueError(msg)
            return value, rest[1:]
        case ["TRUE" | "True", *rest]:
            return True, rest
        case ["FALSE" | "False", *rest]:
            return False, rest
        case _:
            msg = "cannot read the rule of a composite alarm: it ends too early"
            raise ValueError(msg)
