"""Every transition between phases, as data; the state diagram is drawn from it."""

from enum import StrEnum

from otherside.failover.decision.observation import Order
from otherside.failover.decision.state import Phase


class Event(StrEnum):
    """What an observation means for a phase."""

    NOTHING = "nothing"
    SUSPECTED = "suspected"
    CLEARED = "cleared"
    EXPIRED = "expired"
    ALLOWED = "allowed"
    ASKING = "asking"
    REFUSED = "refused"
    DENIED = "denied"
    FENCED = "fenced"
    MOVING = "moving"
    MOVED = "moved"
    CANCELLED = "cancelled"
    RETRY = "retry"
    EXHAUSTED = "exhausted"
    UNCALLED = "uncalled"
    DECLINED = "declined"
    EXTERNAL_MOVE = "external-move"
    TABLE_LOST = "table-lost"
    STANDBY_DETACHED = "standby-detached"
    STOPPED = "stopped"
    TIMED_OUT = "timed-out"
    VERIFIED = "verified"
    SHIFTED_BY_FAILOVER = "shifted-by-failover"
    SHIFTED_AWAY = "shifted-away"
    SHIFTED_HOME = "shifted-home"
    RESYNCED = "resynced"
    STABLE = "stable"
    RECONCILED = "reconciled"
    ORDERED = "ordered"
    PRECHECK_OK = "precheck-ok"
    PRECHECK_FAILED_AT_HOME = "precheck-failed-at-home"
    PRECHECK_FAILED_AWAY = "precheck-failed-away"
    RESUMED = "resumed"
    ADOPTED_AT_HOME = "adopted-at-home"
    ADOPTED_AWAY = "adopted-away"


FOREIGN = frozenset({Event.EXTERNAL_MOVE, Event.TABLE_LOST, Event.STANDBY_DETACHED})
"""What somebody else did: what our own table says is no longer what is."""
_EXTERNAL = dict.fromkeys((*sorted(FOREIGN), Event.STOPPED), Phase.HALTED)
_ARRIVED = {Event.MOVED: Phase.VERIFY}
"""A switchover of ours that was abandoned and arrived after all."""
_GUARDED = {
    Event.ALLOWED: Phase.FENCING,
    Event.ASKING: Phase.AWAIT_APPROVAL,
    Event.REFUSED: Phase.BLOCKED,
    Event.CLEARED: Phase.STEADY,
}

TRANSITIONS: dict[Phase, dict[Event, Phase]] = {
    Phase.STEADY: {
        Event.SUSPECTED: Phase.SUSPECT,
        Event.ORDERED: Phase.SWITCH_PRECHECK,
        **_EXTERNAL,
    },
    Phase.SUSPECT: {
        **_GUARDED,
        Event.EXPIRED: Phase.STEADY,
        Event.MOVING: Phase.SWITCHING,
        **_ARRIVED,
        **_EXTERNAL,
    },
    Phase.AWAIT_APPROVAL: {
        Event.ALLOWED: Phase.FENCING,
        Event.ASKING: Phase.AWAIT_APPROVAL,
        Event.CLEARED: Phase.STEADY,
        Event.REFUSED: Phase.BLOCKED,
        Event.DENIED: Phase.BLOCKED,
        Event.MOVING: Phase.SWITCHING,
        **_ARRIVED,
        **_EXTERNAL,
    },
    Phase.BLOCKED: {
        Event.ALLOWED: Phase.FENCING,
        Event.ASKING: Phase.AWAIT_APPROVAL,
        Event.CLEARED: Phase.STEADY,
        Event.MOVING: Phase.SWITCHING,
        **_ARRIVED,
        **_EXTERNAL,
    },
    Phase.FENCING: {
        Event.FENCED: Phase.PROMOTE_INTENT,
        Event.REFUSED: Phase.BLOCKED,
        Event.DENIED: Phase.BLOCKED,
        Event.TIMED_OUT: Phase.BLOCKED,
        Event.CLEARED: Phase.STEADY,
        Event.MOVING: Phase.SWITCHING,
        **_ARRIVED,
        **_EXTERNAL,
    },
    Phase.PROMOTE_INTENT: {
        Event.MOVED: Phase.VERIFY,
        Event.MOVING: Phase.PROMOTING,
        Event.RETRY: Phase.PROMOTE_INTENT,
        Event.CLEARED: Phase.STEADY,
        Event.UNCALLED: Phase.BLOCKED,
        Event.DECLINED: Phase.BLOCKED,
        Event.EXHAUSTED: Phase.HALTED,
        **_EXTERNAL,
    },
    Phase.PROMOTING: {
        Event.MOVED: Phase.VERIFY,
        Event.CANCELLED: Phase.PROMOTE_INTENT,
        Event.EXHAUSTED: Phase.HALTED,
        Event.TIMED_OUT: Phase.HALTED,
        **_EXTERNAL,
    },
    Phase.VERIFY: {Event.VERIFIED: Phase.SHIFT, **_EXTERNAL},
    Phase.SHIFT: {
        Event.SHIFTED_BY_FAILOVER: Phase.FAILED_OVER,
        Event.SHIFTED_AWAY: Phase.FAILBACK_READY,
        Event.SHIFTED_HOME: Phase.STEADY,
        **_EXTERNAL,
    },
    Phase.FAILED_OVER: {Event.RESYNCED: Phase.REJOINED, **_EXTERNAL},
    Phase.REJOINED: {
        Event.RECONCILED: Phase.REJOINED,
        Event.STABLE: Phase.FAILBACK_READY,
        **_EXTERNAL,
    },
    Phase.FAILBACK_READY: {Event.ORDERED: Phase.SWITCH_PRECHECK, **_EXTERNAL},
    Phase.SWITCH_PRECHECK: {
        Event.PRECHECK_OK: Phase.SWITCH_INTENT,
        Event.PRECHECK_FAILED_AT_HOME: Phase.STEADY,
        Event.PRECHECK_FAILED_AWAY: Phase.FAILBACK_READY,
        Event.SUSPECTED: Phase.SUSPECT,
        **_EXTERNAL,
    },
    Phase.SWITCH_INTENT: {
        Event.MOVED: Phase.VERIFY,
        Event.MOVING: Phase.SWITCHING,
        Event.RETRY: Phase.SWITCH_INTENT,
        Event.PRECHECK_FAILED_AT_HOME: Phase.STEADY,
        Event.PRECHECK_FAILED_AWAY: Phase.FAILBACK_READY,
        Event.SUSPECTED: Phase.SUSPECT,
        Event.EXHAUSTED: Phase.HALTED,
        **_EXTERNAL,
    },
    Phase.SWITCHING: {
        Event.ASKING: Phase.AWAIT_APPROVAL,
        Event.MOVED: Phase.VERIFY,
        Event.CANCELLED: Phase.SWITCH_INTENT,
        Event.EXHAUSTED: Phase.HALTED,
        Event.TIMED_OUT: Phase.HALTED,
        **_EXTERNAL,
    },
    Phase.HALTED: {
        Event.RESUMED: Phase.STEADY,
        Event.ADOPTED_AT_HOME: Phase.STEADY,
        Event.ADOPTED_AWAY: Phase.VERIFY,
    },
}


HEEDED_IN: dict[Order, frozenset[Phase]] = {
    Order.SWITCHOVER: frozenset({Phase.STEADY, Phase.FAILBACK_READY}),
    Order.ABORT: frozenset({Phase.STEADY, Phase.FAILBACK_READY, Phase.SWITCH_PRECHECK}),
    Order.APPROVE: frozenset({Phase.AWAIT_APPROVAL, Phase.BLOCKED}),
    Order.DENY: frozenset({Phase.AWAIT_APPROVAL, Phase.FENCING}),
    Order.RESUME: frozenset({Phase.HALTED}),
    Order.ADOPT: frozenset({Phase.HALTED}),
    Order.SIGN_RECONCILIATION: frozenset({Phase.REJOINED}),
    Order.PROCEED: frozenset({Phase.VERIFY, Phase.SHIFT}),
    Order.HALT: frozenset(Phase) - {Phase.HALTED},
    Order.FREEZE: frozenset(Phase),
}
"""The phases in which each order has an effect."""
