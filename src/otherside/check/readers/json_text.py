"""Read JSON of any size, one top-level member at a time, and keep only what is needed.

A plan of a hundred thousand resources says everything three times. The reader passes each element
of a long list to a projection as it is read, and drops unneeded data at once.
"""

import json
import re
from collections.abc import Callable, Mapping
from json.decoder import JSONDecodeError, JSONDecoder
from typing import Any

from otherside.check.readers.input_error import InputError

Projection = Callable[[Any], Any]
_SPACE = re.compile(r"[ \t\r\n]*")
_CHECKED_MAX = 4 << 20
"""A larger file was written by a machine and is not checked for duplicate keys."""


def read_json(
    text: str,
    file: str,
    *,
    each: Mapping[str, Projection] | None = None,
    dropped: frozenset[str] = frozenset(),
) -> Any:  # noqa: ANN401 - whatever the text holds
    """Return a document, with each list named in `each` mapped through its projection.

    Raises:
        InputError: If it is not JSON, is cut off, is nested too deeply or repeats a key.
    """
    hook = _distinct(file) if len(text) <= _CHECKED_MAX else None
    decoder = JSONDecoder(object_pairs_hook=hook)
    try:
        at = _skip(text, 0)
        if text[at : at + 1] != "{":
            return decoder.decode(text)
        return _members(text, at + 1, decoder, each or {}, dropped, file)
    except JSONDecodeError as error:
        cause = f"no JSON: {error.msg} (column {error.colno})"
        if error.msg == "Extra data":
            cause = "more than one JSON document: a log, or a stream? Give what `show -json` writes"
        elif error.pos >= len(text.rstrip()) - 1:
            cause = f"the JSON is cut off: {error.msg}"
        raise InputError(file, cause, line=error.lineno) from None
    except ValueError as error:  # a number with thousands of digits
        raise InputError(
            file, f"no JSON that can be read: {str(error).split(':', maxsplit=1)[0]}"
        ) from None
    except RecursionError:
        raise InputError(file, "nested too deeply to be a plan, a state or a template") from None


def _distinct(file: str) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InputError(file, f"the key {twice!r} occurs twice in one object")
        return found

    return hook


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _expect(text: str, at: int, what: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != what:
        msg = f"Expecting '{what}' delimiter"
        raise JSONDecodeError(msg, text, at)
    return at + 1


def _value(text: str, at: int, decoder: JSONDecoder) -> tuple[Any, int]:
    return decoder.raw_decode(text, _skip(text, at))


def _members(
    text: str,
    at: int,
    decoder: JSONDecoder,
    each: Mapping[str, Projection],
    dropped: frozenset[str],
    file: str,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = _skip(text, at)
    if text[at : at + 1] == "}":
        return _ended(text, at + 1, found)
    while True:
        at = _expect(text, at, '"')
        key, at = decoder.raw_decode(text, at - 1)
        if key in found:
            raise InputError(
                file, f"the key {key!r} occurs twice", line=text.count("\n", 0, at) + 1
            )
        at = _skip(text, _expect(text, at, ":"))
        if key in each and text[at : at + 1] == "[":
            found[key], at = _elements(text, at + 1, decoder, each[key])
        elif key in dropped:
            found[key], at = None, _past(text, at, decoder)
        else:
            found[key], at = _value(text, at, decoder)
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return _ended(text, at + 1, found)
        at = _expect(text, at, ",")
        at = _skip(text, at)


_DEEP = frozenset({"root_module", "child_modules", "resources"})
"""Members of a dropped value that hold most of it."""


_MODULE = re.compile(r'\{\s*"(resources|child_modules)"')


def _past(text: str, at: int, decoder: JSONDecoder, *, deep: bool = True) -> int:
    """Return the end of a value, of which no more than one small part is in memory at a time.

    What repeats a plan's resources would take as much memory as the resources.
    """
    at = _skip(text, at)
    if not deep or text[at : at + 1] not in {"{", "["}:
        return decoder.raw_decode(text, at)[1]
    closing = "}" if text[at] == "{" else "]"
    at = _skip(text, at + 1)
    if text[at : at + 1] == closing:
        return at + 1
    while True:
        inner = False
        if closing == "}":
            key, at = decoder.raw_decode(text, _expect(text, at, '"') - 1)
            at, inner = _expect(text, at, ":"), key in _DEEP
        else:  # a list of modules, each of which begins with the list of its resources
            at = _skip(text, at)
            inner = _MODULE.match(text, at) is not None
        at = _skip(text, _past(text, at, decoder, deep=inner))
        if text[at : at + 1] == closing:
            return at + 1
        at = _skip(text, _expect(text, at, ","))


def _ended(text: str, at: int, found: dict[str, Any]) -> dict[str, Any]:
    at = _skip(text, at)
    if at != len(text):
        msg = "Extra data"
        raise JSONDecodeError(msg, text, at)
    return found


def _elements(
    text: str, at: int, decoder: JSONDecoder, projection: Projection
) -> tuple[list[Any], int]:
    found: list[Any] = []
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return found, at + 1
    while True:
        value, at = _value(text, at, decoder)
        kept = projection(value)
        if kept is not None:
            found.append(kept)
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return found, at + 1
        at = _expect(text, at, ",")


def loads(text: str) -> Any:  # noqa: ANN401 - whatever the text holds
    """Return a small document, or `None` if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
