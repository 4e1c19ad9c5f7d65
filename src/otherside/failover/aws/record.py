"""Revisions as table items: the state itself, and the record of what it was decided on."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from otherside.core.topology import Side
from otherside.failover.decision.decide import Decision
from otherside.failover.decision.observation import Move, Observation
from otherside.failover.decision.state import Intent, Phase, State, Trouble
from otherside.failover.decision.verdict import Verdict

ANCHORED_SINCE = 2
SCHEMA = 2
"""Raised when older code would misread what newer code writes, so that it refuses instead."""
_READ: Mapping[str, Any] = {
    "failing": tuple,
    "trouble": Trouble,
    "phase": Phase,
    "writer": Side,
    "verdict": Verdict,
    "intent": lambda known: _intent(known) if known else None,
}


_FIELDS = tuple(field.name for field in fields(State))
_REQUIRED = tuple(field.name for field in fields(State) if field.default is MISSING)


class UnreadableError(Exception):
    """A revision that this version of the code cannot read."""


def state_to_text(state: State) -> str:
    """Return a state as JSON."""
    return to_text(state)


def to_text(record: object) -> str:
    """Return JSON of values and dataclasses, nested in any way."""
    return json.dumps(record, default=_plain_fields, sort_keys=True)


def _plain_fields(value: object) -> dict[str, Any]:
    if not is_dataclass(value):
        msg = f"{type(value).__name__} is nothing that a record holds"
        raise TypeError(msg)
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def state_from_text(text: str, schema: int = SCHEMA) -> State:
    """Parse a state. A missing field takes its default.

    Raises:
        UnreadableError: If a newer version wrote it, it is not a state, or a field is missing that
            has no default.
    """
    if schema > SCHEMA:
        msg = f"schema {schema} is of a newer version than this code, which knows {SCHEMA}"
        raise UnreadableError(msg)
    try:
        known = json.loads(text)
        missing = [name for name in _REQUIRED if name not in known]
        if missing:
            msg = f"the revision lacks {', '.join(missing)}"
            raise UnreadableError(msg)
        if schema < ANCHORED_SINCE:
            known["anchored"] = True  # older versions took it for granted
        return State(
            **{
                name: _READ[name](known[name]) if name in _READ else known[name]
                for name in _FIELDS
                if name in known
            }
        )
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        msg = f"the revision cannot be read: {type(error).__name__}"
        raise UnreadableError(msg) from error


def _intent(known: Mapping[str, Any]) -> Intent:
    return Intent(
        epoch=known["epoch"],
        attempt=known["attempt"],
        move=Move(known["move"]),
        target=Side(known["target"]),
        not_after_s=known["not_after_s"],
        free_from_s=known.get("free_from_s", 0.0),
        instead=known.get("instead", False),
    )


def entry(decision: Decision, observation: Observation, code: str) -> dict[str, Any]:
    """Return the record of a revision: what was observed, what was decided, and by which code."""
    state = decision.state
    return {
        "event_id": f"{state.revision}",
        "at_s": observation.at_s,
        "epoch": state.epoch,
        "phase": state.phase,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "obstacle": decision.obstacle,
        "notice": decision.notice,
        "urgent": decision.urgent,
        "code": code,
        "facts": _facts(observation),
    }


def _facts(observation: Observation) -> dict[str, Any]:
    """Return an observation for the record: each signal as a reading with its age in seconds."""
    known = _plain_fields(observation)
    known["signals"] = {
        name: f"{signal.reading} {observation.at_s - signal.at_s:.1f}s"
        for name, signal in _plain_fields(observation.signals).items()
    }
    return known
