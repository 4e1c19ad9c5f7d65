"""Turn raw answers into an observation: which silence counts as bad, and which is unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from otherside.core.topology import Side
from otherside.core.wire_contract import HEARTBEAT_S, RENEW_S
from otherside.failover.aws.state_store import HealthReport, side_of
from otherside.failover.decision.observation import (
    Attempt,
    Command,
    DatabaseView,
    LeaseView,
    Observation,
    Reading,
    Replication,
    Signal,
    Signals,
)
from otherside.failover.decision.state import State

GOOD, BAD, UNKNOWN = Reading.GOOD, Reading.BAD, Reading.UNKNOWN
PULSE_MAX_S = 3 * RENEW_S
"""An older pulse counts as missing."""
AHEAD_MAX_S = 5.0
"""How far another clock may be ahead of ours."""
BEAT_MAX_S = 10 * HEARTBEAT_S
"""If the heartbeat is older than this, it has stopped."""
LATELY_S = 600.0
"""How long after its last pulse a machine still counts as reporting."""
WITNESS = "witness"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawObservation:
    """All answers of one observation; `None` and UNKNOWN for sources that gave none."""

    at_s: float
    pulses: Mapping[str, HealthReport] | None
    """By place: `primary#…` and `standby#…` for each lease agent, and the witness."""
    lease: LeaseView | None
    command: Command | None
    freeze: Command | None
    database: DatabaseView | None
    control_plane: bool | None
    canary: Reading
    standby_app: Reading
    standby_write: Reading
    """Whether the standby's application writes, through the name that users' writes use."""
    users_on: Side | None
    outside: Reading
    capacity_short: bool | None
    pledge_epoch: int | None
    attempts: tuple[Attempt, ...] | None
    failing: tuple[str, ...] | None
    unreadable: tuple[str, ...]
    aurora: tuple[str, ...]


def observation(state: State, raw: RawObservation) -> Observation:
    """Return the observation for one set of raw answers."""
    return Observation(
        at_s=raw.at_s,
        signals=_signals(state, raw),
        database=raw.database,
        replication=_replication(state, raw),
        lease=raw.lease,
        write_verified=_write_verified(state, raw),
        users_on=raw.users_on,
        capacity_short=raw.capacity_short,
        command=raw.command,
        freeze=raw.freeze,
        epoch_seen=_epoch_seen(raw),
        pledge_epoch=raw.pledge_epoch,
        machines=_machines(raw),
        attempts=raw.attempts,
        failing=raw.failing,
        unreadable=raw.unreadable,
        aurora=raw.aurora,
    )


def _of(raw: RawObservation, place: str) -> list[HealthReport]:
    """Return the last pulse of each lease agent of a side, or of the witness, however old."""
    return [pulse for name, pulse in (raw.pulses or {}).items() if side_of(name) == place]


def _fresh(raw: RawObservation, place: str) -> list[HealthReport]:
    """Return the recent pulses; one from the future comes from a wrong clock and does not count."""
    return [
        pulse for pulse in _of(raw, place) if -AHEAD_MAX_S <= raw.at_s - pulse.at_s <= PULSE_MAX_S
    ]


def _write_verified(state: State, raw: RawObservation) -> bool | None:
    """Return whether the writer's side recently wrote a row of this epoch and read it back.

    Checked twice: by the lease agent through the database's own endpoint, and through the name that
    users' writes use, because that name follows the writer later than Aurora reports the move.
    """
    if raw.pulses is None:
        return None
    proven = any(
        pulse.writes_ok and pulse.wrote_epoch == state.epoch for pulse in _fresh(raw, state.writer)
    )
    return proven and raw.standby_write is GOOD


def _epoch_seen(raw: RawObservation) -> int | None:
    """Return the highest epoch that any agent has ever read in the database."""
    known = [
        epoch
        for pulse in (raw.pulses or {}).values()
        for epoch in (pulse.wrote_epoch, pulse.beat_epoch)
        if epoch is not None
    ]
    return max(known, default=None)


def _machines(raw: RawObservation) -> int | None:
    if raw.pulses is None:
        return None
    return sum(raw.at_s - pulse.at_s <= LATELY_S for pulse in _of(raw, Side.PRIMARY))


def _signals(state: State, raw: RawObservation) -> Signals:
    def now(reading: Reading) -> Signal:
        return Signal(reading=reading, at_s=raw.at_s)

    return Signals(
        standby_canary=now(raw.canary),
        witness_canary=_said(raw, WITNESS, "writes_ok", absent=UNKNOWN),
        heartbeat=_heartbeat(state, raw),
        app_pulse=_said(raw, state.writer, "app_ok", absent=BAD),
        write_pulse=_said(raw, state.writer, "writes_ok", absent=BAD),
        dns_health=now(_dns_health(state, raw)),
        control_plane=now(_control_plane(raw)),
        self_test=now(_self_test(raw)),
        standby_app=now(raw.standby_app),
    )


def _said(raw: RawObservation, place: str, name: str, *, absent: Reading) -> Signal:
    """Return a place's reading: good if any of its agents reports good, bad if none does.

    A place that has never reported is unknown, and never bad.
    """
    fresh = _fresh(raw, place)
    if not fresh:
        return Signal(reading=absent if _of(raw, place) else UNKNOWN, at_s=raw.at_s)
    said = [(pulse, getattr(pulse, name)) for pulse in fresh]
    for reading, wanted in ((GOOD, True), (BAD, False)):
        times = [pulse.at_s for pulse, word in said if word is wanted]
        if times:
            return Signal(reading=reading, at_s=max(times))
    return Signal(reading=UNKNOWN, at_s=max(pulse.at_s for pulse in fresh))


def _heartbeat(state: State, raw: RawObservation) -> Signal:
    """Return whether the writer's heartbeat, as the follower's reader holds it, is recent."""
    seen = [
        pulse
        for pulse in _fresh(raw, state.writer.other)
        if pulse.beat_s is not None and pulse.reads_ok is not False
    ]
    if not seen:
        return Signal(reading=UNKNOWN, at_s=raw.at_s)
    youngest = min(seen, key=lambda pulse: pulse.at_s - (pulse.beat_s or 0.0))
    age_s = youngest.at_s - (youngest.beat_s or 0.0)
    return Signal(reading=GOOD if age_s <= BEAT_MAX_S else BAD, at_s=youngest.at_s)


def _dns_health(state: State, raw: RawObservation) -> Reading:
    """Return Route 53's view of the primary; while users are held, DNS does not show it."""
    if raw.users_on is None or state.latched is not False:
        return UNKNOWN
    return GOOD if raw.users_on is Side.PRIMARY else BAD


def _control_plane(raw: RawObservation) -> Reading:
    if raw.control_plane is None:
        return UNKNOWN
    return GOOD if raw.control_plane else BAD


def _self_test(raw: RawObservation) -> Reading:
    """Return whether the orchestrator can trust itself: outside names and its own table answer.

    Nothing that belongs to a side counts here: if the standby is down, a person has to be asked,
    but the orchestrator is not blind.
    """
    if raw.outside is BAD:
        return BAD
    return GOOD if raw.pulses is not None and raw.outside is GOOD else UNKNOWN


def _replication(state: State, raw: RawObservation) -> Replication | None:
    """Return how far the side without the writer follows, if both sides have ever reported.

    A table that was lost has forgotten when the writer lived: replication may have stopped long
    before, and then nobody can say how much would be lost.

    The lag is the longest seen by any agent that was watching when the writer last lived. An agent
    that started later has not seen that lag, and one whose span ended earlier may have seen less.
    """
    followers = [pulse for pulse in _of(raw, state.writer.other) if pulse.beat_s is not None]
    writers = [pulse.wrote_s for pulse in _of(raw, state.writer) if pulse.wrote_s is not None]
    if not followers or not writers:
        return None
    replicated_s = max(pulse.beat_s or 0.0 for pulse in followers)
    lived_s = max([replicated_s, *writers])
    lag_max_s = _lag_max_s(followers, lived_s)
    if lag_max_s is None:
        return None
    return Replication(replicated_s=replicated_s, lived_s=lived_s, lag_max_s=lag_max_s)


def _lag_max_s(followers: Sequence[HealthReport], lived_s: float) -> float | None:
    watched = [
        pulse.lag_max_s
        for pulse in followers
        if pulse.lag_max_s is not None and pulse.at_s >= lived_s - PULSE_MAX_S
    ]
    return max(watched, default=None)
