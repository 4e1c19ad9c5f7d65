"""IAM's evaluation logic for one account: from policy documents and a request to a decision.

The evaluator never guesses. It raises `CannotTellError` for a condition on a key that the request
does not know, for an operator that is not implemented, and for a resource whose ARN is unknown.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import datetime as dt
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from otherside.wildcards import star_pattern

PolicyStatement = Mapping[str, Any]
_ALL_KNOWN = ("aws:principaltag/", "s3:existingobjecttag/")
"""Beginnings of condition keys that a request has whole: one that is not among them is absent."""


class Effect(StrEnum):
    """What a set of policies decides about one request."""

    ALLOW = "allow"
    DENY = "deny"
    SILENT = "silent"


class CannotTellError(Exception):
    """A policy that this evaluator would have to guess about; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One action on one resource, by one principal."""

    action: str
    """As policies spell it: `rds:FailoverGlobalCluster`."""
    resource: str | None
    """The ARN, `*` if the action applies to no resource, or `None` if the ARN is unknown."""
    principal: str
    key_id: str = ""
    """The access key that signed it: of one principal, sessions may have policies of their own."""
    role: str = ""
    """The ARN of the role of a session, with its path, which the session's own ARN lacks."""
    """The ARN of a role, a user or a session, or a service name: `events.amazonaws.com`."""
    account: str
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Values by condition key, in lower case. A key with no values is known to be absent."""

    def values(self, key: str) -> Sequence[str] | None:
        """Return a condition key's values, none if it is absent, or `None` if nobody knows."""
        found = self.keys.get(key.lower())
        return () if found is None and key.lower().startswith(_ALL_KNOWN) else found

    @property
    def root(self) -> str:
        """The principal that stands for everyone in the caller's account."""
        return f"arn:aws:iam::{self.account}:root"

    @property
    def service(self) -> bool:
        """Whether the caller is a service and not a role or a user."""
        return not self.principal.startswith("arn:")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEvaluation:
    """Whether the request is allowed, and why not."""

    allowed: bool
    kind: str = "identity-based"
    """The type of policy that decided, in the words of AWS's message."""
    explicit: bool = False

    def message(self, request: Request) -> str:
        """Return AWS's own wording for a refusal (access denied messages, IAM guide)."""
        what = f"User: {request.principal} is not authorized to perform: {request.action}"
        on = f" on resource: {request.resource}" if request.resource not in {None, "*"} else ""
        if self.explicit:
            article = "an" if self.kind[0] in "aeiou" else "a"
            return f"{what}{on} with an explicit deny in {article} {self.kind} policy"
        return f"{what}{on} because no {self.kind} policy allows the {request.action} action"


@lru_cache(maxsize=4096)
def statements_of(document: str) -> tuple[PolicyStatement, ...]:
    """Return the statements of a policy document.

    Raises:
        CannotTellError: If the document is not a policy.
    """
    try:
        found = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError) as error:
        msg = f"a policy that cannot be read: {type(error).__name__}"
        raise CannotTellError(msg) from error
    return tuple(found) if isinstance(found, list) else (found,)


def decide(
    request: Request,
    *,
    identity: Iterable[PolicyStatement] = (),
    boundary: Iterable[PolicyStatement] | None = None,
    session: Iterable[PolicyStatement] | None = None,
    resource: Iterable[PolicyStatement] = (),
    both: bool = False,
) -> PolicyEvaluation:
    """Return whether a request is allowed: an explicit deny first, then either kind of policy.

    A permissions boundary and a session's own policy only limit. What a resource's policy gives to
    exactly this user or session is not limited by their silence.

    With `both`, the resource's own policy must allow the request, whatever the identity's policies
    allow. This applies to a role's trust policy and to a key policy, which may delegate the
    decision to IAM by allowing the account.

    Raises:
        CannotTellError: If a statement that might matter cannot be evaluated.
    """
    identity, resource = tuple(identity), tuple(resource)
    said = {
        "identity-based": effect_of(identity, request),
        "resource-based": effect_of(resource, request, principals=True),
    }
    limits = {
        kind: effect_of(statements, request)
        for kind, statements in (("permissions boundary", boundary), ("session", session))
        if statements is not None
    }
    for kind, effect in [*said.items(), *limits.items()]:
        if effect is Effect.DENY:
            return PolicyEvaluation(allowed=False, kind=kind, explicit=True)
    for kind, effect in limits.items():
        if effect is Effect.SILENT and not _names_exactly(resource, request):
            return PolicyEvaluation(allowed=False, kind=kind)
    by_identity = said["identity-based"] is Effect.ALLOW
    by_resource = said["resource-based"] is Effect.ALLOW
    if not both:
        kind = "resource-based" if request.service else "identity-based"
        return PolicyEvaluation(allowed=by_identity or by_resource, kind=kind)
    if by_resource:
        return PolicyEvaluation(allowed=True)
    if not request.service and _delegates(resource, request):
        return PolicyEvaluation(allowed=by_identity, kind="identity-based")
    return PolicyEvaluation(allowed=False, kind="resource-based")


def effect_of(
    statements: Iterable[PolicyStatement], request: Request, *, principals: bool = False
) -> Effect:
    """Return the combined effect of statements on a request: a deny wins over any allow."""
    effect = Effect.SILENT
    for statement in statements:
        if principals and not _names_principal(statement, request):
            continue
        if _applies(statement, request):
            if statement.get("Effect") == "Deny":
                return Effect.DENY
            effect = Effect.ALLOW
    return effect


def _names_exactly(statements: Iterable[PolicyStatement], request: Request) -> bool:
    """Return whether a resource's policy allows a request to its principal by its own ARN."""
    return any(
        statement.get("Effect") == "Allow"
        and request.principal in _principals(statement).get("AWS", ())
        and _applies(statement, request)
        for statement in statements
    )


def _delegates(statements: Iterable[PolicyStatement], request: Request) -> bool:
    """Return whether a resource's policy delegates the decision to the account's IAM policies."""
    return any(
        statement.get("Effect") == "Allow"
        and request.root in _principals(statement).get("AWS", ())
        and _applies(statement, request)
        for statement in statements
    )


def _applies(statement: PolicyStatement, request: Request) -> bool:
    if not _acts(statement, request.action):
        return False
    if not _on(statement, request):
        return False
    return all(
        _holds(operator, key, values, request)
        for operator, wanted in statement.get("Condition", {}).items()
        for key, values in wanted.items()
    )


def _acts(statement: PolicyStatement, action: str) -> bool:
    if "NotAction" in statement:
        return not any(like(item, action, fold=True) for item in listed(statement["NotAction"]))
    return any(
        like(other_action, action, fold=True)
        for other_action in listed(statement.get("Action", ()))
    )


def _on(statement: PolicyStatement, request: Request) -> bool:
    """Return whether a statement covers the request's resource; a key policy may leave it out."""
    wanted = listed(statement.get("Resource", statement.get("NotResource", "*")))
    if request.resource is None:
        if set(wanted) == {"*"} and "NotResource" not in statement:
            return True
        msg = f"which resource {request.action} is checked on, and a statement names one"
        raise CannotTellError(msg)
    wanted = [_filled(item, request) for item in wanted]
    inside = any(like(item, request.resource) for item in wanted)
    if "NotResource" in statement:
        return not inside
    return inside


def _filled(text: str, request: Request) -> str:
    """Fill in policy variables, such as `${aws:PrincipalArn}`."""

    def known(match: re.Match[str]) -> str:
        values = request.values(match[1])
        if values is None:
            msg = f"the policy variable {match[0]}"
            raise CannotTellError(msg)
        return values[0] if len(values) == 1 else ""

    return re.sub(r"\$\{([^}]+)\}", known, text)


def _names_principal(statement: PolicyStatement, request: Request) -> bool:
    if "NotPrincipal" in statement:
        return not _is_among(_principals(statement, "NotPrincipal"), request)
    named = _principals(statement)
    if _is_among(named, request):
        return True
    # What is denied to an account is denied to everyone in it. What is allowed to it needs the
    # principal's own policies to allow it too.
    denied = statement.get("Effect") == "Deny" and not request.service
    return denied and request.root in named.get("AWS", ())


def _is_among(named: Mapping[str, Sequence[str]], request: Request) -> bool:
    """Return whether principals include the caller: itself, its role, or everybody."""
    if request.service:
        return request.principal in named.get("Service", ()) or "*" in named.get("*", ())
    wanted = {*named.get("AWS", ()), *named.get("*", ())}
    own = {request.principal, _role_of(request.principal), request.role} - {""}
    return "*" in wanted or bool(wanted & own)


def _principals(
    statement: PolicyStatement, element: str = "Principal"
) -> Mapping[str, Sequence[str]]:
    given = statement.get(element, {})
    if given == "*":
        return {"*": ("*",), "AWS": ("*",)}
    return {kind: tuple(map(_account_as_root, listed(values))) for kind, values in given.items()}


def _account_as_root(principal: str) -> str:
    """Return the ARN that an account's bare number is short for."""
    return f"arn:aws:iam::{principal}:root" if principal.isdigit() else principal


def _role_of(arn: str) -> str:
    """Return a session's role: `arn:aws:sts::1:assumed-role/R/S` belongs to `…iam::1:role/R`."""
    match = re.fullmatch(r"arn:aws:sts::(\d+):assumed-role/([^/]+)/.*", arn)
    return f"arn:aws:iam::{match[1]}:role/{match[2]}" if match else arn


def _holds(operator: str, key: str, wanted: Any, request: Request) -> bool:  # noqa: ANN401 - policy
    """Return whether one condition holds; several wanted values are alternatives."""
    found = request.values(key)
    if found is None:
        msg = f"the condition key {key} of {request.action}"
        raise CannotTellError(msg)
    values = [_filled(item, request) for item in map(_text, listed(wanted))]
    name = operator
    quantifier, _, rest = operator.rpartition(":")
    name = rest
    if name == "Null":
        return (not found) is (values[0].lower() == "true")
    optional = name.endswith("IfExists")
    test = OPERATORS.get(name.removesuffix("IfExists"))
    if test is None:
        msg = f"the condition operator {operator}"
        raise CannotTellError(msg)
    negative = "Not" in name
    if not found:
        return optional or negative or quantifier == "ForAllValues"

    def meets(text: str) -> bool:
        matched = [test(text, value) for value in values]
        return all(matched) if negative else any(matched)

    if quantifier == "ForAllValues":
        return all(map(meets, found))
    return any(map(meets, found)) if not negative else all(map(meets, found))


def like(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Return whether a text matches a policy's pattern; `*` and `?` are wildcards."""
    return _pattern(pattern, fold).fullmatch(text) is not None


@lru_cache(maxsize=8192)
def _pattern(pattern: str, fold: bool) -> re.Pattern[str]:  # noqa: FBT001 - a cache key
    pieces = [re.escape(part).replace(r"\?", ".") for part in pattern.split("*")]
    return re.compile(star_pattern(pieces), re.IGNORECASE | re.DOTALL if fold else re.DOTALL)


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - any value in a policy
    """Return a policy's value as a list; a single value becomes a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _arn_like(found: str, wanted: str) -> bool:
    ours, theirs = found.split(":", 5), wanted.split(":", 5)
    return len(ours) == len(theirs) and all(map(like, theirs, ours))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda found, wanted: compare(float(found), float(wanted))


def _moment(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def at(text: str) -> float:
        if re.fullmatch(r"[\d.]+", text):
            return float(text)
        return dt.datetime.fromisoformat(text).timestamp()

    return lambda found, wanted: compare(at(found), at(wanted))


def _address(found: str, wanted: str) -> bool:
    return ipaddress.ip_address(found) in ipaddress.ip_network(wanted, strict=False)


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": lambda a, b: a == b,
    "NotEquals": lambda a, b: a != b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}
OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda found, wanted: found == wanted,
    "StringNotEquals": lambda found, wanted: found != wanted,
    "StringEqualsIgnoreCase": lambda found, wanted: found.lower() == wanted.lower(),
    "StringNotEqualsIgnoreCase": lambda found, wanted: found.lower() != wanted.lower(),
    "StringLike": lambda found, wanted: like(wanted, found),
    "StringNotLike": lambda found, wanted: not like(wanted, found),
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "ArnNotEquals": lambda found, wanted: not _arn_like(found, wanted),
    "ArnNotLike": lambda found, wanted: not _arn_like(found, wanted),
    "Bool": lambda found, wanted: found.lower() == wanted.lower(),
    "IpAddress": _address,
    "NotIpAddress": lambda found, wanted: not _address(found, wanted),
    **{f"Numeric{name}": _number(compare) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": _moment(compare) for name, compare in _COMPARISONS.items()},
}
"""Tests of a condition operator on (found, wanted), without `IfExists` and set quantifiers."""
