"""The passwords that a boot script holds in plain text, by the forms in which a script has one.

A boot script is in the code, in the state, and for anybody on the machine at its metadata address.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from otherside.check.model.values import Password, PasswordOrigin, Unknown, Value
from otherside.check.readers.passwords import holds_secret, is_placeholder, looks_like_password

_SCRIPT_MAX = 1 << 17
"""Characters that are read: several times what AWS takes."""
_UNKNOWN = "\ue000"
"""Stands for what is known at deployment only; no literal has it."""
_NAME = r"(?P<name>[A-Za-z_][\w.-]{0,80})"
_PLAIN = r"(?P<value>[^\s\"'`$(){}\[\]<>;|&,\\\ue000]{1,200})(?=[\s;&|\"']|$)"
_QUOTED = r"(?P<quote>[\"'])(?P<value>[^\"'`$\\{}<>\n\ue000]{1,200})(?P=quote)"
_FORMS = (
    re.compile(rf"(?:^|[\s\"'])(?:-{{1,2}})?{_NAME}=(?:{_QUOTED})", re.MULTILINE),
    re.compile(rf"(?:^|[\s\"'])(?:-{{1,2}})?{_NAME}={_PLAIN}", re.MULTILINE),
    re.compile(
        rf"^[ \t]*(?:- |\$(?:env:)?)?[\"']?{_NAME}[\"']?[ \t]*[:=][ \t]*(?:{_QUOTED})", re.MULTILINE
    ),
    re.compile(rf"[{{,][ \t]*[\"']{_NAME}[\"'][ \t]*:[ \t]*(?:{_QUOTED})", re.MULTILINE),
    re.compile(
        rf"\b(?:define|SetEnvironmentVariable)\([ \t]*[\"']{_NAME}[\"'][ \t]*,[ \t]*(?:{_QUOTED})"
    ),
)
"""An assignment or an option, a line of a settings file, a member of an object, a call."""
_LINE = re.compile(
    r"^[ \t]*(?:- )?(?P<name>[A-Za-z_][\w.-]{0,80})[ \t]*[:=][ \t]+"
    r"(?P<value>[^\s\"'`$(){}\[\]<>;|&,\\\ue000]{1,200})[ \t]*$",
    re.MULTILINE,
)
"""A line of a settings file without quotes: it may be a variable of a program, so by its form."""
_SQL = re.compile(
    r"\b(?:IDENTIFIED[ \t]+BY|(?:WITH[ \t]+)?(?:ENCRYPTED[ \t]+)?PASSWORD)[ \t]+"
    r"'(?P<value>[^'`$\\{}<>\n\ue000]{1,200})'",
    re.IGNORECASE,
)
_OF_MYSQL = re.compile(
    r"\bmysql(?:dump|admin)?\b[^\n|;]{0,200}?\s-p[\"']?(?P<value>[^\s\"'`$(){};|&\ue000-]"
    r"[^\s\"'`$(){};|&\ue000]{0,200})"
)
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,30}://[^/\s:@\"'$]{1,80}:(?P<value>[^/\s:@\"'`$(){}<>\ue000]{1,200})@",
    re.IGNORECASE,
)
_NAMELESS = (
    (_SQL, "password in SQL"),
    (_OF_MYSQL, "password of mysql"),
    (_ADDRESS, "password in an address"),
)
_IDENTIFIER = re.compile(r"[a-z_]+")
_COMMENT = re.compile(r"^[ \t]*(?:#(?!!)|//|;|--[ \t]).*$", re.MULTILINE)


def passwords_in_script(script: Value) -> dict[str, Password]:
    """Return the passwords that a script holds as literals, by the names that they have there."""
    found: dict[str, Password] = {}
    for text in _texts(script):
        for name in _literals(text[:_SCRIPT_MAX]):
            found[name] = Password(PasswordOrigin.LITERAL, "the boot script")
    return found


def _texts(script: Value) -> Iterator[str]:
    """Yield what a script is or may be, with what is not known left out."""
    if isinstance(script, str):
        yield script
    elif isinstance(script, Unknown):
        if script.text:
            yield "".join(
                piece if isinstance(piece, str) and piece != "*" else _UNKNOWN
                for piece in script.text
            )
        for each in script.either:
            yield from _texts(each)


@lru_cache(maxsize=256)
def _literals(script: str) -> tuple[str, ...]:
    """Return the names of what a script has as literals; many machines have the same script."""
    text = _COMMENT.sub("", script)
    found = [
        match["name"]
        for form in _FORMS
        for match in form.finditer(text)
        if _is_one(match["name"], match["value"])
    ]
    found += [
        match["name"]
        for match in _LINE.finditer(text)
        if looks_like_password(match["value"])
        and not _IDENTIFIER.fullmatch(match["value"])
        and _is_one(match["name"], match["value"])
    ]
    found += [
        name
        for form, name in _NAMELESS
        if any(not is_placeholder(match["value"]) for match in form.finditer(text))
    ]
    return tuple(dict.fromkeys(found))


def _is_one(name: str, value: str) -> bool:
    return holds_secret(name, value) and not is_placeholder(value) and not value.startswith("/")
