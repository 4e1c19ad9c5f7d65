"""What a property may be besides a plain value: unknown until deployment, or a password.

Everything else is plain Python: `str`, `int`, `float`, `bool`, `list`, `dict`; and `None` is a
property that nobody set. The three differ, and a rule never takes one for another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

Value = Any
"""A plain value, `Unknown`, `Password` or `Code`; or lists and dictionaries of them."""


@dataclass(frozen=True, slots=True)
class Ref:
    """An attribute of another resource: `Ref("aws_lb.this", "arn_suffix")`."""

    target: str
    """Identifier of a resource in the graph; one that is not there was not in the input."""
    attribute: str = ""
    """In Terraform's words; empty where the source does not tell which."""


class Unresolved(Exception):  # noqa: N818 - it is an answer, and no error
    """A rule cannot tell, and why: never a pass, and never a finding."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is known only at deployment, or only where we cannot look.

    Code that needs the list or the block that it would be raises `Unresolved`.
    """

    refs: tuple[Ref, ...] = ()
    """What it is made of, as far as the source tells."""
    text: tuple[str | Ref, ...] = ()
    """The pieces in order, where the source tells: `("arn:aws:s3:::", Ref(...), "/*")`."""
    why: str = "known only at deployment"

    @property
    def whole(self) -> Ref | None:
        """The one attribute that it is, where it is nothing but that."""
        if len(self.refs) == 1 and len(self.text) <= 1:
            return self.refs[0]
        return None

    def __bool__(self) -> bool:
        """Tell that it was set, to whatever."""
        return True

    def _undecided(self, *_: object) -> NoReturn:
        raise Unresolved(self.why)

    __contains__ = __getitem__ = __iter__ = __len__ = _undecided
    get = items = keys = values = _undecided


class PasswordOrigin(StrEnum):
    """Where a password comes from."""

    LITERAL = "literal"
    DEFAULT = "default"
    """The default of a parameter: in the code, like a literal."""
    PLAIN = "plain"
    """A store that does not keep secrets: a plain SSM parameter, an output."""
    GIVEN = "given"
    """Given at deployment, or made there: not in the code."""
    HIDDEN = "hidden"
    """Marked secret, and whether it was a literal cannot be told."""


@dataclass(frozen=True, slots=True)
class Password:
    """A secret property, without its value: that is never kept, and so never shown."""

    kept: PasswordOrigin
    where: str = ""
    """The parameter or the place that it comes from."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a function runs, as far as the source shows it."""

    files: tuple[tuple[str, str | None], ...] = ()
    """Names in the bundle, and their text where it is there."""
    whole: bool = False
    """Whether these are all the files."""

    def text(self) -> str:
        """Return every text that is there, one after the other."""
        return "\n".join(text for _, text in self.files if text)


def settled(value: Value) -> Value:
    """Return a value that is known.

    Raises:
        Undecided: If it is not.
    """
    if isinstance(value, Unknown):
        raise Unresolved(value.why)
    return value


def parts(value: Value) -> Iterator[Value]:
    """Yield a value and all that it holds, at any depth; what is shared comes each time."""
    todo = [value]
    while todo:
        element = todo.pop()
        yield element
        if isinstance(element, Mapping):
            todo.extend(element.values())
        elif isinstance(element, (list, tuple)):
            todo.extend(element)


def unknowns(value: Value) -> Iterator[Unknown]:
    """Yield what is unknown in a value, at any depth."""
    return (part for part in parts(value) if isinstance(part, Unknown))


def refs(value: Value) -> Iterator[Ref]:
    """Yield every reference in a value, at any depth."""
    for unknown in unknowns(value):
        yield from unknown.refs


def strings(value: Value) -> Iterator[str]:
    """Yield every string in a value, at any depth; the known pieces of an unknown one, too."""
    for part in parts(value):
        if isinstance(part, str):
            yield part
        elif isinstance(part, Unknown):
            yield from (piece for piece in part.text if isinstance(piece, str))
