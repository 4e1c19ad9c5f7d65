"""From what everybody said to the facts: which silence is bad, which is merely silence."""

from collections.abc import Mapping
from dataclasses import dataclass

from otherside.core.facts import (
    Command,
    DatabaseView,
    Facts,
    Lease,
    Reading,
    Replication,
    Signal,
    Signals,
)
from otherside.core.names import HEARTBEAT_S, RENEW_S
from otherside.core.state import Phase, State
from otherside.core.topology import Side
from otherside.orchestrator.aws.ledger import Pulse

GOOD, BAD, UNKNOWN = Reading.GOOD, Reading.BAD, Reading.UNKNOWN
PULSE_MAX_S = 4 * RENEW_S
"""An older pulse is a missing one."""
AHEAD_MAX_S = 5.0
"""How far another's clock may be ahead of ours."""
BEAT_MAX_S = 10 * HEARTBEAT_S
"""A heartbeat that is older than this has stopped."""
WITNESS = "witness"

_MOVING = frozenset(
    {Phase.PROMOTE_INTENT, Phase.PROMOTING, Phase.SWITCH_INTENT, Phase.SWITCHING, Phase.VERIFY}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What everybody answered; `None` and UNKNOWN where nobody did."""

    at_s: float
    pulses: Mapping[str, Pulse] | None
    lease: Lease | None
    command: Command | None
    freeze: Command | None
    database: DatabaseView | None
    control_plane: bool | None
    canary: Reading
    standby_app: Reading
    users_on: Side | None
    outside: Reading
    capacity_short: bool | None
    aurora: tuple[str, ...]


def is_moving(state: State) -> bool:
    """Return whether Aurora may have something to say."""
    return state.phase in _MOVING


def facts(state: State, heard: Heard) -> Facts:
    """Return the facts of one look."""
    writer = heard.pulses.get(state.writer) if heard.pulses else None
    return Facts(
        at_s=heard.at_s,
        signals=_signals(state, heard),
        database=heard.database,
        replication=_replication(state, heard),
        lease=heard.lease,
        write_verified=None if writer is None else _has_proven(state, writer, heard.at_s),
        users_on=heard.users_on,
        capacity_short=heard.capacity_short,
        command=heard.command,
        freeze=heard.freeze,
        aurora=heard.aurora,
    )


def _has_proven(state: State, writer: Pulse, at_s: float) -> bool:
    """Return whether the writer's side wrote a row of this epoch lately and read it back."""
    return _is_fresh(writer, at_s) and bool(writer.writes_ok) and writer.wrote_epoch == state.epoch


def _is_fresh(pulse: Pulse, at_s: float) -> bool:
    """Return whether a pulse is of now; one of the future is a wrong clock's, and says nothing."""
    return -AHEAD_MAX_S <= at_s - pulse.at_s <= PULSE_MAX_S


def _signals(state: State, heard: Heard) -> Signals:
    now_s = heard.at_s

    def now(reading: Reading) -> Signal:
        return Signal(reading=reading, at_s=now_s)

    primary = heard.pulses.get(Side.PRIMARY) if heard.pulses else None
    standby = heard.pulses.get(Side.STANDBY) if heard.pulses else None
    witness = heard.pulses.get(WITNESS) if heard.pulses else None
    return Signals(
        standby_canary=now(heard.canary),
        witness_canary=_said(witness, "writes_ok", now_s, absent=UNKNOWN),
        heartbeat=_heartbeat(standby, now_s),
        app_pulse=_said(primary, "app_ok", now_s, absent=BAD),
        write_pulse=_said(primary, "writes_ok", now_s, absent=BAD),
        dns_health=now(_dns_health(state, heard)),
        control_plane=now(_control_plane(heard)),
        self_test=now(_self_test(heard, standby, now_s)),
        standby_app=now(heard.standby_app),
    )


def _said(pulse: Pulse | None, name: str, now_s: float, *, absent: Reading) -> Signal:
    """Return what a pulse says. A place that has never reported is unknown, and never bad."""
    if pulse is None:
        return Signal(reading=UNKNOWN, at_s=now_s)
    if not _is_fresh(pulse, now_s):
        return Signal(reading=absent, at_s=now_s)
    said = getattr(pulse, name)
    reading = UNKNOWN if said is None else GOOD if said else BAD
    return Signal(reading=reading, at_s=pulse.at_s)


def _heartbeat(standby: Pulse | None, now_s: float) -> Signal:
    """Return whether the writer's heartbeat, as the standby's reader holds it, is young."""
    blind = standby is None or standby.beat_s is None or standby.reads_ok is False
    if standby is None or standby.beat_s is None or blind or not _is_fresh(standby, now_s):
        return Signal(reading=UNKNOWN, at_s=now_s)
    young = standby.at_s - standby.beat_s <= BEAT_MAX_S
    return Signal(reading=GOOD if young else BAD, at_s=standby.at_s)


def _dns_health(state: State, heard: Heard) -> Reading:
    """Return what Route 53 thinks of the primary; while users are held, it says nothing."""
    if heard.users_on is None or state.latched:
        return UNKNOWN
    return GOOD if heard.users_on is Side.PRIMARY else BAD


def _control_plane(heard: Heard) -> Reading:
    if heard.control_plane is None:
        return UNKNOWN
    return GOOD if heard.control_plane else BAD


def _self_test(heard: Heard, standby: Pulse | None, now_s: float) -> Reading:
    """Return whether we can trust our own eyes: names outside, our own side, our own table."""
    if heard.pulses is None or heard.outside is not GOOD:
        return BAD if heard.outside is BAD else UNKNOWN
    alive = standby is not None and _is_fresh(standby, now_s) and standby.reads_ok is not False
    return GOOD if alive or heard.standby_app is GOOD else BAD


def _replication(state: State, heard: Heard) -> Replication | None:
    """Return how far the side that does not write follows, if that side ever said."""
    if heard.pulses is None:
        return None
    writer = heard.pulses.get(state.writer)
    follower = heard.pulses.get(state.writer.other)
    if follower is None or follower.beat_s is None or follower.lag_max_s is None:
        return None
    wrote_s = writer.wrote_s if writer is not None and writer.wrote_s is not None else 0.0
    return Replication(
        replicated_s=follower.beat_s,
        lived_s=max(wrote_s, follower.beat_s),
        lag_max_s=follower.lag_max_s,
    )
