"""What makes a text a password: the one place that decides it, with its reasons.

A property that is a password by its meaning (`master_password`) holds one whatever it says. A value
that may be anything (a secret's text, a variable) is judged by its name and by its form.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

from otherside.check.model.values import Password, PasswordOrigin, Unknown, Value

_SECRET_NAME = re.compile(
    r"passw|passphrase|(^|_)(pwd|pass|pw)$|secret(?!.*(arn|name|id)$)|api_?key|private_?key|(^|_)token$",
    re.IGNORECASE,
)
_SAFE_NAME = re.compile(
    r"(arn|name|_id|path|param|parameter|ref|uri|alias|store|ttl|file|url|region|key_id|endpoint"
    r"|port|size|level|enabled|length|policy|type|prefix|version|timeout|characters|rotation|days)$",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(https?://|arn:|\d+$|true$|false$)", re.IGNORECASE)
_CERTAIN = re.compile(
    r"(passw(or)?d|passphrase|api_?key|private_?key|(^|_)(pwd|pass|pw|token))$", re.IGNORECASE
)
"""A variable with such a name holds a secret, whatever it looks like. Another may hold the name
of a secret or a setting: `DB_SECRET`, `SECRETS_BACKEND`, `PASSWORD_RESET_QUEUE`."""
_INSIDE = re.compile(
    r"[\"']\w*passw\w*[\"']\s*:\s*[\"'](?!\{\{resolve:)[^\"'*$]+[\"']", re.IGNORECASE
)
"""A password in a document that is only partly known."""
_MANAGED = re.compile(r"\{\{resolve:(secretsmanager|ssm-secure):")
_PLAIN = re.compile(r"\{\{resolve:ssm:")
_HIDDEN = {"[secret]", "(sensitive value)", "****"}
_PLACEHOLDER = re.compile(
    r"^<.*>$|^\[.*\]$|^\$?\{\{?.*\}$|^%.*%$|^__.*__$"
    r"|change[-_ ]?(me|it|this)|replace[-_ ]?(me|this|with)?|place[-_ ]?holder|dummy|todo\b|tbd\b"
    r"|to[-_ ]be[-_ ]|fill[-_ ]?(me|in)|set[-_ ]?(me|later|by|in)|your[-_]|initial|bootstrap"
    r"|rotated|managed[-_ ](by|out)|ignored?\b|null\b|none\b|empty|n/?a$|x{3,}|\*{3,}|\.{3,}",
    re.IGNORECASE,
)
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_ACCESS_KEY = re.compile(
    r"(AKIA|ASIA)[A-Z0-9]{16}$|gh[pousr]_\w{20,}|xox[abp]-|sk_live_|eyJ[\w-]+\."
    r"|^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9/+]{40}$"
)
"""Keys of known forms: AWS, GitHub, Slack, Stripe, a signed token."""
_WITH_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]+@", re.IGNORECASE)
"""An address with a user and a password in it."""
_PLACE = re.compile(
    r"^arn:|^[a-z][a-z0-9+.-]*://|^/|^s3:|^[\w.-]+\.(com|net|org|io|dev|local|internal|aws)(:\d+)?(/|$)"
    r"|^\d{1,3}(\.\d{1,3}){3}(/\d+|:\d+)?$|@[\w-]+\.\w+$",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"^[a-z]+-[0-9a-f]{8,}$|^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$|^[a-z]{2}(-[a-z]+)+-\d[a-z]?$"
)
_WORDS = re.compile(
    r"^[A-Za-z]+([-_./ :][A-Za-z0-9]+)*$|^[a-z]+([A-Z][a-z]+)*\d{0,2}$|^v?\d[\d.]*$"
)
"""Names of things: words that are joined, in camel case, or a version."""
_CLASSES = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"\d"), re.compile(r"[^\w\s]|_"))
_SAYS = re.compile(r"passw|pa55|hunter2|letmein|qwerty|s3cr|secret\d|admin\d|root\d", re.IGNORECASE)
_SHORTEST, _SHORT, _LONG = 6, 8, 20


class Parameter(str):
    """A value given from outside that remembers its parameter."""

    __slots__ = ("defaulted", "file", "parameter")

    parameter: str
    defaulted: bool
    """Whether it is a default or in a file beside it, so that the value is in the code."""
    file: str
    """The name of that file, or nothing."""

    def __new__(cls, text: str, parameter: str, *, defaulted: bool, file: str = "") -> Self:
        """Return a text that knows its parameter."""
        made = super().__new__(cls, text)
        made.parameter, made.defaulted, made.file = parameter, defaulted, file
        return made

    @property
    def said(self) -> str:
        """Return what it is, for a message: a default, or a value in a file."""
        if not self.defaulted:
            return self.parameter
        return (
            f"{self.parameter} in {self.file}" if self.file else f"the default of {self.parameter}"
        )


def password(value: Value) -> Password | None:
    """Return where a password comes from, without the password itself; `None` if none is set."""
    if isinstance(value, Password):
        return value
    if isinstance(value, Unknown):
        return _of_unknown(value, password)
    if isinstance(value, Mapping):
        return _worst(value)
    if isinstance(value, Parameter):
        if (named := _by_reference(value)) is not None:
            return named
        kept = PasswordOrigin.DEFAULT if value.defaulted else PasswordOrigin.GIVEN
        return Password(kept, value.said) if value else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Password(PasswordOrigin.LITERAL)  # HCL takes a number without quotes for a text
    if not isinstance(value, str) or not value:
        return None
    inner = _document(value)
    if isinstance(inner, Mapping):
        return _worst(inner)
    return _by_reference(value) or Password(PasswordOrigin.LITERAL)


def secret_text(value: Value) -> Password | None:
    """Return where the password in a secret's text comes from; `None` if the text is none.

    A secret may hold anything: a table's name and an endpoint are as welcome there as a password.
    """
    if isinstance(value, Unknown):
        return _of_unknown(value, secret_text)
    if isinstance(value, Parameter) and value.defaulted and _by_reference(value) is None:
        return _of_default(value)
    if isinstance(value, str) and not isinstance(value, Parameter):
        inner = _document(value)
        if not isinstance(inner, Mapping) and _by_reference(value) is None:
            return Password(PasswordOrigin.LITERAL) if looks_like_password(value) else None
    return password(value)


def _of_default(value: Parameter) -> Password | None:
    """Return a parameter's default as a secret's text, if it is a password by form or by name."""
    inner = _document(value)
    if isinstance(inner, Mapping):
        held = _worst(inner) is not None
    else:
        name = value.parameter.rpartition(".")[2]
        named = is_secret_name(name) and not _PLACEHOLDER.search(value.strip())
        held = bool(value) and (named or looks_like_password(value))
    return Password(PasswordOrigin.DEFAULT, value.said) if held else None


def looks_like_password(text: str) -> bool:
    """Return whether a text has the form of a password: not of a name, a place or a placeholder.

    It errs on the side of a name: a password of plain words is not told from one.
    """
    text = text.strip()
    if _KEY.search(text) or _ACCESS_KEY.search(text) or _WITH_PASSWORD.search(text):
        return True
    if len(text) < _SHORT or any(mark.search(text) for mark in (_PLACEHOLDER, _PLACE, _IDENTIFIER)):
        says = _SAYS.search(text) and not _PLACEHOLDER.search(text)
        return bool(says) and len(text) >= _SHORTEST
    if re.search(r"\s", text):
        return False
    if _SAYS.search(text):
        return True
    if _WORDS.match(text):
        return False
    classes = sum(bool(found.search(text)) for found in _CLASSES)
    dense = len(text) >= _LONG and classes >= 2 and not re.search(r"[-_./:]", text)  # noqa: PLR2004 - of four
    mixed = bool(re.search(r"\d", text)) and bool(re.search(r"[A-Za-z]", text))
    return classes >= 3 or dense or (mixed and not re.search(r"[-_./:]", text))  # noqa: PLR2004 - of four


def is_secret_name(name: str) -> bool:
    """Return whether a variable of this name holds a secret, rather than its location."""
    return bool(_SECRET_NAME.search(name)) and not _SAFE_NAME.search(name)


def secret_variable(name: str, value: Value) -> Value:
    """Return a variable's value; a secret's origin instead, if it holds one by its name."""
    if isinstance(value, Unknown) and value.either:
        either = tuple(each for each in value.either if holds_secret(name, each))
        value = replace(value, either=either, condition="")
    if isinstance(value, str) and _WITH_PASSWORD.search(value):
        return password(value)  # an address with a password in it, whatever the variable is called
    return password(value) if holds_secret(name, value) else value


def holds_secret(name: str, value: Value) -> bool:
    """Return whether a variable holds a secret, rather than its location or required length."""
    if not is_secret_name(name) or isinstance(value, (bool, int)):
        return False
    if not isinstance(value, str):
        return True
    if _by_reference(value) is not None:
        return True
    certain = bool(_CERTAIN.search(name)) or looks_like_password(value)
    return certain and not _NO_SECRET.match(value)


_ORDER = (
    PasswordOrigin.LITERAL,
    PasswordOrigin.DEFAULT,
    PasswordOrigin.PLAIN,
    PasswordOrigin.HIDDEN,
    PasswordOrigin.GIVEN,
)


def _of_unknown(value: Unknown, judge: Callable[[Value], Password | None]) -> Password:
    """Return the worst of what an unknown value may be."""
    may_be = [judge(each) for each in value.either]
    kept = min(
        (found for found in may_be if found is not None),
        key=lambda found: _ORDER.index(found.kept),
        default=None,
    )
    if kept is not None and kept.kept in _ORDER[:3]:
        return kept
    if _INSIDE.search("".join(text if isinstance(text, str) else "*" for text in value.text)):
        return Password(PasswordOrigin.LITERAL)
    return Password(PasswordOrigin.GIVEN, value.refs[0].target if value.refs else value.why)


def _by_reference(value: str) -> Password | None:
    """Return the origin of a password that the text only refers to, or that is not shown."""
    if value in _HIDDEN:
        return Password(PasswordOrigin.HIDDEN)
    if _MANAGED.search(value):
        return Password(PasswordOrigin.GIVEN, "a dynamic reference")
    if _PLAIN.search(value):
        return Password(PasswordOrigin.PLAIN, "a plain SSM parameter")
    return None


def _worst(held: Mapping[str, Value]) -> Password | None:
    """Return the worst-kept secret in a document, looking only at names that denote secrets."""
    found = [
        password(element)
        for name, element in held.items()
        if is_secret_name(str(name)) and not is_placeholder(element)
    ]
    kept = [item for item in found if item is not None]
    return min(kept, key=lambda item: _ORDER.index(item.kept), default=None)


def is_placeholder(value: Value) -> bool:
    """Return whether a text says that something else will be put in its place."""
    plain = isinstance(value, str) and not isinstance(value, Parameter)
    return plain and _by_reference(value) is None and bool(_PLACEHOLDER.search(value.strip()))


def _document(value: str) -> Any:  # noqa: ANN401 - any JSON
    if not value.lstrip().startswith("{"):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
