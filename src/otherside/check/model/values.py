"""Property values that are not plain: values unknown until deployment, and passwords.

Everything else is plain Python: `str`, `int`, `float`, `bool`, `list`, `dict`. `None` is an unset
property. These cases differ, and a rule must never take one for another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NoReturn

Value = Any
"""A plain value, `Unknown`, `Password` or `Code`, or lists and dictionaries of them."""


@dataclass(frozen=True, slots=True)
class Ref:
    """An attribute of another resource: `Ref("aws_lb.this", "arn_suffix")`."""

    target: str
    """Identifier of a resource in the graph; a missing one was not part of the input."""
    attribute: str = ""
    """Its Terraform name; empty if the source does not say which."""


class Unresolved(Exception):  # noqa: N818 - it is an answer, not an error
    """A rule cannot decide, for the given reason: neither a pass nor a finding."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is known only at deployment, or only in a place that we cannot read.

    Using it as a list or a block raises `Unresolved`.
    """

    refs: tuple[Ref, ...] = ()
    """The references that it is built from, as far as the source shows."""
    text: tuple[str | Ref, ...] = ()
    """Its pieces in order, if the source shows them: `("arn:aws:s3:::", Ref(...), "/*")`."""
    why: str = "known only at deployment"
    either: tuple[Any, ...] = field(default=(), compare=False)
    """What it may be, as far as the source shows: the branches of a condition, a default."""
    condition: str = field(default="", compare=False)
    """What decides between the two of `either`, if it is one of them and nothing else, and neither
    has parts: where it is written, `#`, and how."""

    @property
    def whole(self) -> Ref | None:
        """The single attribute that it consists of, or `None` if it is built from more."""
        if len(self.refs) == 1 and len(self.text) <= 1:
            return self.refs[0]
        return None

    @property
    def parameter(self) -> str | None:
        """The parameter of its stack that it is, as messages name it, or `None` if it is more."""
        return self.why if self.why.endswith(_NO_DEFAULT) and not self.text else None

    def __bool__(self) -> bool:
        """Return true: the property is set, although its value is unknown."""
        return True

    def _undecided(self, *_: object) -> NoReturn:
        raise Unresolved(self.why)

    __contains__ = __getitem__ = __iter__ = __len__ = _undecided
    get = items = keys = values = _undecided


_NO_DEFAULT = ", which has no default"


def not_given(parameter: str) -> Unknown:
    """Return the value of a parameter that nobody gave and that has no default."""
    return Unknown(why=f"{parameter}{_NO_DEFAULT}")


class PasswordOrigin(StrEnum):
    """Where a password comes from."""

    LITERAL = "literal"
    DEFAULT = "default"
    """A parameter's default: in the code, like a literal."""
    PLAIN = "plain"
    """A store that is not meant for secrets: a plain SSM parameter, an output."""
    GIVEN = "given"
    """Supplied or generated at deployment: not in the code."""
    HIDDEN = "hidden"
    """Marked secret; whether it was a literal is unknown."""


@dataclass(frozen=True, slots=True)
class Password:
    """A secret property without its value, which is never stored and so never shown."""

    kept: PasswordOrigin
    where: str = ""
    """The parameter or the place that it comes from."""


@dataclass(frozen=True, slots=True)
class Code:
    """The code that a function runs, as far as the source shows it."""

    files: tuple[tuple[str, str | None], ...] = ()
    """File names in the bundle, with their text if it is available."""
    whole: bool = False
    """Whether the list of files is complete."""

    def text(self) -> str:
        """Return every available text, joined by newlines."""
        return "\n".join(text for _, text in self.files if text)


def require_known(value: Value) -> Value:
    """Return a value, which must be known.

    Raises:
        Unresolved: If it is unknown.
    """
    if isinstance(value, Unknown):
        raise Unresolved(value.why)
    return value


def shown(value: Value, what: str) -> str:
    """Return a value for a sentence: itself, what it may be, or that it is not known.

    `what` says what kind of thing it is: `a Region`.
    """
    if not isinstance(value, Unknown):
        return str(value)
    either = [text for text in value.either if isinstance(text, str)]
    whole = len(either) == len(value.either) and either
    return " or ".join(dict.fromkeys(either)) if whole else f"{what} that is not known"


def parts(value: Value) -> Iterator[Value]:
    """Yield a value and everything nested in it, repeating a shared part for each occurrence."""
    todo = [value]
    while todo:
        element = todo.pop()
        yield element
        if isinstance(element, (str, Unknown)):
            continue  # the usual case, and faster to test than what follows
        if isinstance(element, (list, tuple)):
            todo.extend(element)
        elif isinstance(element, Mapping):
            todo.extend(element.values())


def unknowns(value: Value) -> Iterator[Unknown]:
    """Yield every unknown in a value, at any depth."""
    return (part for part in parts(value) if isinstance(part, Unknown))


def one_of_two(condition: str, both: tuple[Value, Value], why: str) -> Unknown:
    """Return a value that is one of two by a condition, which may be nameless.

    It is nameless, too, if too many are nested: each doubles what the value may be.
    """
    plain = not any(isinstance(branch, (Mapping, list)) for branch in both)
    named = condition if plain and max(map(_nesting, both)) < _NESTED_MAX else ""
    return Unknown(tuple(refs(list(both))), (), why, both, named)


_NESTED_MAX = 3
"""How many conditions a value may depend on, one within a branch of another."""


def _nesting(value: Value) -> int:
    if not isinstance(value, Unknown) or not value.condition:
        return 0
    return 1 + max(map(_nesting, value.either))


def conditions(value: Value) -> Iterator[str]:
    """Yield every condition that a value depends on, also within a branch of another."""
    for unknown in unknowns(value):
        if unknown.condition:
            yield unknown.condition
            yield from conditions(unknown.either)


def decided(value: Value, condition: str, *, holds: bool) -> Value:
    """Return a value as it is where a condition holds or does not."""
    if isinstance(value, Unknown) and value.condition:
        branches = tuple(decided(branch, condition, holds=holds) for branch in value.either)
        if value.condition == condition:
            return branches[0 if holds else 1]
        return replace(value, either=branches)
    if isinstance(value, list):
        found = [decided(element, condition, holds=holds) for element in value]
        return [element for element in found if element is not None]
    if isinstance(value, dict):
        return {key: decided(each, condition, holds=holds) for key, each in value.items()}
    return value


def refs(value: Value) -> Iterator[Ref]:
    """Yield every reference in a value, at any depth."""
    for unknown in unknowns(value):
        yield from unknown.refs


def strings(value: Value) -> Iterator[str]:
    """Yield every string in a value at any depth, including the known pieces of unknown strings."""
    for part in parts(value):
        if isinstance(part, str):
            yield part
        elif isinstance(part, Unknown):
            yield from (piece for piece in part.text if isinstance(piece, str))
