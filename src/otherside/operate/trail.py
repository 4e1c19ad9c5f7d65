"""The audit trail: every revision with what it was decided on, and the decision made again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from otherside.core.wire_contract import STATE_PARTITION
from otherside.failover.aws.aws_clients import calling
from otherside.failover.aws.record import UnreadableError, state_from_text
from otherside.failover.decision.decide import decide
from otherside.failover.decision.observation import Observation
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import State, first

_ROUNDED_S = 0.1
"""The record has the age of a signal in tenths of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision, as the state table holds it."""

    number: int
    state: State | None
    """`None` if this version cannot read it."""
    entry: Mapping[str, Any]
    """What was observed and decided, and by which code."""

    @property
    def at_s(self) -> float:
        """When it was decided."""
        return float(self.entry["at_s"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One revision, decided again from the revision before it and what was observed."""

    number: int
    same: bool
    differs: tuple[str, ...]
    """The fields of the state that come out otherwise."""
    missing: str = ""
    """Why it could not be decided again."""


def revisions(dynamodb: Any, table: str, application: str) -> list[Revision]:  # noqa: ANN401 - botocore makes the class
    """Return all revisions, oldest first.

    Raises:
        UnavailableError: If the table does not answer.
    """
    with calling("reading the audit trail"):
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="#partition = :application",
            ExpressionAttributeNames={"#partition": STATE_PARTITION},
            ExpressionAttributeValues={":application": {"S": application}},
            ConsistentRead=True,
        )
        return [_revision(item) for page in pages for item in page["Items"]]


def _revision(item: Mapping[str, Any]) -> Revision:
    entry = json.loads(item["entry"]["S"])
    try:
        state = state_from_text(item["state"]["S"], int(item["schema"]["N"]))
    except UnreadableError:
        state = None
    return Revision(number=int(entry["event_id"]), state=state, entry=entry)


def replay(trail: Sequence[Revision], policy: FailoverPolicy) -> Iterator[Replayed]:
    """Decide each revision again, by this version of the code and the given policy."""
    before: State | None = first(0.0)
    last = 0
    for revision in trail:
        if revision.number != last + 1:
            before = None
        yield _again(revision, before, policy)
        before, last = revision.state, revision.number


def _again(revision: Revision, before: State | None, policy: FailoverPolicy) -> Replayed:
    number, was = revision.number, revision.state
    if was is None:
        return Replayed(number=number, same=False, differs=(), missing="another version wrote it")
    if before is None:
        return Replayed(number=number, same=False, differs=(), missing="no revision before it")
    try:
        observation = observation_of(revision.entry)
    except (KeyError, ValueError, TypeError) as error:
        return Replayed(number=number, same=False, differs=(), missing=f"its facts: {error}")
    again = decide(before, observation, policy).state
    differs = tuple(
        field.name
        for field in fields(State)
        if not _alike(getattr(was, field.name), getattr(again, field.name), number, field.name)
    )
    return Replayed(number=number, same=not differs, differs=differs)


def _alike(was: object, again: object, number: int, name: str) -> bool:
    """Return whether two values are the same; the first state's own time is not in the record."""
    if name == "since_s" and number == 1:
        return True
    if isinstance(was, float) and isinstance(again, float):
        return abs(was - again) <= _ROUNDED_S
    return was == again


@cache
def _observations() -> TypeAdapter[Observation]:
    return TypeAdapter(Observation)


def observation_of(entry: Mapping[str, Any]) -> Observation:
    """Return what a revision was decided on.

    Raises:
        ValueError: If the record is not one of an observation; the message names the field.
        KeyError: If it has none.
    """
    facts = dict(entry["facts"])
    at_s = float(facts["at_s"])
    facts["signals"] = {
        name: {"reading": text.split()[0], "at_s": at_s - float(text.split()[1].removesuffix("s"))}
        for name, text in facts["signals"].items()
    }
    known = {field.name for field in fields(Observation)}
    try:
        return _observations().validate_python(
            {name: value for name, value in facts.items() if name in known}
        )
    except ValidationError as error:
        problem = error.errors()[0]
        msg = f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        raise ValueError(msg) from error
