"""The directives of a Terraform template: `%{ if … }` and `%{ for … }`.

https://developer.hashicorp.com/terraform/language/expressions/strings#directives
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MARK = re.compile(
    r"(?<!%)%\{(?P<before>~?)\s*(?P<word>\w+)\b(?P<rest>.*?)(?P<after>~?)\}", re.DOTALL
)
_FOR = re.compile(r"\s*(\w+)(?:\s*,\s*(\w+))?\s+in\b(.*)", re.DOTALL)


class DirectiveError(ValueError):
    """A template whose directives do not fit together."""


@dataclass(slots=True)
class TemplateBlock:
    """What stands between directives: texts, and the blocks of further directives."""

    parts: "list[str | Loop | Choice]" = field(default_factory=list)


@dataclass(slots=True)
class Loop:
    """`%{ for key, value in items }`: its names and expression, and what is repeated."""

    names: tuple[str, ...]
    items: str
    body: TemplateBlock


@dataclass(slots=True)
class Choice:
    """`%{ if condition }`, with what is there if it holds and otherwise."""

    condition: str
    then: TemplateBlock
    otherwise: TemplateBlock


Piece = str | re.Match[str]


def parsed(text: str) -> TemplateBlock:
    """Return a template as a block.

    Raises:
        DirectiveError: If a directive is unknown, or is not ended.
    """
    pieces = list(_pieces(text))
    block, at, end = _block(pieces, 0)
    if end or at < len(pieces):
        msg = f"%{{ {end} }} that ends nothing"
        raise DirectiveError(msg)
    return block


def _pieces(text: str) -> Iterator[Piece]:
    """Yield texts and directives in turn; a `~` takes the white space beside it away."""
    at, trim = 0, False
    for mark in _MARK.finditer(text):
        between = text[at : mark.start()]
        between = between.lstrip() if trim else between
        yield between.rstrip() if mark["before"] else between
        yield mark
        at, trim = mark.end(), bool(mark["after"])
    yield text[at:].lstrip() if trim else text[at:]


def _block(pieces: list[Piece], at: int) -> tuple[TemplateBlock, int, str]:
    """Return a block, where it ends, and the word that ended it; empty at the template's end."""
    block = TemplateBlock()
    while at < len(pieces):
        piece = pieces[at]
        at += 1
        if isinstance(piece, str):
            block.parts.append(piece)
            continue
        match piece["word"]:
            case "for":
                at = _loop(piece["rest"], pieces, at, block)
            case "if":
                at = _choice(piece["rest"], pieces, at, block)
            case "else" | "endif" | "endfor":
                return block, at, piece["word"]
            case word:
                msg = f"%{{ {word} }} is no directive"
                raise DirectiveError(msg)
    return block, at, ""


def _loop(said: str, pieces: list[Piece], at: int, block: TemplateBlock) -> int:
    found = _FOR.fullmatch(said)
    body, at, end = _block(pieces, at)
    if found is None or end != "endfor":
        msg = "%{ for } that is not ended"
        raise DirectiveError(msg)
    names = tuple(name for name in found.group(1, 2) if name)
    block.parts.append(Loop(names, found[3].strip(), body))
    return at


def _choice(said: str, pieces: list[Piece], at: int, block: TemplateBlock) -> int:
    then, at, end = _block(pieces, at)
    otherwise = TemplateBlock()
    if end == "else":
        otherwise, at, end = _block(pieces, at)
    if end != "endif":
        msg = "%{ if } that is not ended"
        raise DirectiveError(msg)
    block.parts.append(Choice(said.strip(), then, otherwise))
    return at
