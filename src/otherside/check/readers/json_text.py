"""Read JSON that people may have written, and say what is wrong with it and where."""

from collections.abc import Callable
from json.decoder import JSONDecodeError, JSONDecoder
from typing import Any

from otherside.check.readers.input_error import InputError

CHECKED_MAX = 4 << 20
"""A larger file was written by a machine and is not checked for duplicate keys."""


def read_json(text: str, file: str) -> Any:  # noqa: ANN401 - whatever the text holds
    """Return a document.

    Raises:
        InputError: If it is not JSON, is cut off, is nested too deeply or repeats a key.
    """
    hook = _distinct(file) if len(text) <= CHECKED_MAX else None
    try:
        return JSONDecoder(object_pairs_hook=hook).decode(text)
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
