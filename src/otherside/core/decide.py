"""The whole decision: one total function over one table.

Rule 1: everything that can change the phase lives in this file.
Rule 2: this file knows sides and seconds, and nothing of AWS.
Rule 3: a move that loses data is vetoed by any write that was seen to work.
Rule 4: nothing is asked of the world that the committed state does not ask for.

`decide` reads the phase's event from the facts, looks the next phase up in `TRANSITIONS`, and works
out what the new state asks for. Actions are level-triggered: asked for on every look until a fact
shows them done, so each is safe to repeat and no crash loses one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from otherside.core.facts import Command, DatabaseView, Facts, Move, Order, Progress
from otherside.core.state import Intent, Phase, State
from otherside.core.topology import FailoverMode, Side
from otherside.core.verdict import DEADLY, Evidence, Verdict, judge, weigh

HOME = Side.PRIMARY
"""Where the writer is by design. Only this side is ever left without being asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may happen by itself, and how long is long enough. Times in seconds."""

    mode: FailoverMode
    loss_auto_s: float
    """Most that a failover may lose without asking: the recovery point objective."""
    confirm_s: float = 60.0
    """Longer than the 43 s blip that once split GitHub's databases in two."""
    in_region_grace_s: float = 120.0
    """How long Aurora may take to replace a dead writer inside its own Region."""
    look_gap_max_s: float = 90.0
    """Looks further apart than this do not confirm one another."""
    fresh_s: float = 20.0
    suspect_max_s: float = 600.0
    fence_s: float = 20.0
    skew_s: float = 5.0
    intent_s: float = 15.0
    actor_s: float = 58.0
    """Longest that a function runs: how late an actor of the last intent can still call."""
    attempts_max: int = 3
    promote_max_s: float = 900.0
    block_s: float = 3600.0
    approval_max_s: float = 900.0
    stable_s: float = 86_400.0
    precheck_s: float = 30.0
    precheck_max_s: float = 300.0
    switch_lag_max_s: float = 1.0
    freezes: tuple[tuple[float, float], ...] = ()
    """Windows in which nothing moves, from and to."""


class Event(StrEnum):
    """What a look at the facts means for a phase."""

    NOTHING = "nothing"
    SUSPECTED = "suspected"
    CLEARED = "cleared"
    EXPIRED = "expired"
    ALLOWED = "allowed"
    ASKING = "asking"
    REFUSED = "refused"
    FENCED = "fenced"
    MOVING = "moving"
    MOVED = "moved"
    CANCELLED = "cancelled"
    RETRY = "retry"
    EXHAUSTED = "exhausted"
    FOREIGN = "foreign"
    STUCK = "stuck"
    VERIFIED = "verified"
    SHIFTED_BY_FAILOVER = "shifted-by-failover"
    SHIFTED_AWAY = "shifted-away"
    SHIFTED_HOME = "shifted-home"
    RESYNCED = "resynced"
    STABLE = "stable"
    SIGNED = "signed"
    ORDERED = "ordered"
    FIT = "fit"
    UNFIT_AT_HOME = "unfit-at-home"
    UNFIT_AWAY = "unfit-away"
    RESUMED = "resumed"
    ADOPTED_AT_HOME = "adopted-at-home"
    ADOPTED_AWAY = "adopted-away"


_FOREIGN = {Event.FOREIGN: Phase.HALTED}
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
        **_FOREIGN,
    },
    Phase.SUSPECT: {**_GUARDED, Event.EXPIRED: Phase.STEADY, **_FOREIGN},
    Phase.AWAIT_APPROVAL: {
        Event.ALLOWED: Phase.FENCING,
        Event.CLEARED: Phase.STEADY,
        Event.REFUSED: Phase.BLOCKED,
        **_FOREIGN,
    },
    Phase.BLOCKED: {
        Event.ALLOWED: Phase.FENCING,
        Event.ASKING: Phase.AWAIT_APPROVAL,
        Event.CLEARED: Phase.STEADY,
        **_FOREIGN,
    },
    Phase.FENCING: {
        Event.FENCED: Phase.PROMOTE_INTENT,
        Event.CLEARED: Phase.STEADY,
        **_FOREIGN,
    },
    Phase.PROMOTE_INTENT: {
        Event.MOVED: Phase.VERIFY,
        Event.MOVING: Phase.PROMOTING,
        Event.RETRY: Phase.PROMOTE_INTENT,
        Event.EXHAUSTED: Phase.HALTED,
        **_FOREIGN,
    },
    Phase.PROMOTING: {
        Event.MOVED: Phase.VERIFY,
        Event.CANCELLED: Phase.PROMOTE_INTENT,
        Event.EXHAUSTED: Phase.HALTED,
        Event.STUCK: Phase.HALTED,
        **_FOREIGN,
    },
    Phase.VERIFY: {Event.VERIFIED: Phase.SHIFT, **_FOREIGN},
    Phase.SHIFT: {
        Event.SHIFTED_BY_FAILOVER: Phase.FAILED_OVER,
        Event.SHIFTED_AWAY: Phase.FAILBACK_READY,
        Event.SHIFTED_HOME: Phase.STEADY,
        **_FOREIGN,
    },
    Phase.FAILED_OVER: {Event.RESYNCED: Phase.REJOINED, **_FOREIGN},
    Phase.REJOINED: {
        Event.SIGNED: Phase.REJOINED,
        Event.STABLE: Phase.FAILBACK_READY,
        **_FOREIGN,
    },
    Phase.FAILBACK_READY: {Event.ORDERED: Phase.SWITCH_PRECHECK, **_FOREIGN},
    Phase.SWITCH_PRECHECK: {
        Event.FIT: Phase.SWITCH_INTENT,
        Event.UNFIT_AT_HOME: Phase.STEADY,
        Event.UNFIT_AWAY: Phase.FAILBACK_READY,
        **_FOREIGN,
    },
    Phase.SWITCH_INTENT: {
        Event.MOVED: Phase.VERIFY,
        Event.MOVING: Phase.SWITCHING,
        Event.RETRY: Phase.SWITCH_INTENT,
        Event.EXHAUSTED: Phase.HALTED,
        **_FOREIGN,
    },
    Phase.SWITCHING: {
        Event.MOVED: Phase.VERIFY,
        Event.CANCELLED: Phase.SWITCH_INTENT,
        Event.EXHAUSTED: Phase.HALTED,
        Event.STUCK: Phase.HALTED,
        **_FOREIGN,
    },
    Phase.HALTED: {
        Event.RESUMED: Phase.STEADY,
        Event.ADOPTED_AT_HOME: Phase.STEADY,
        Event.ADOPTED_AWAY: Phase.VERIFY,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to believe from now on, and what the new state asks of the world."""

    state: State
    move: Intent | None
    """Ask Aurora for this, if it is not yet `not_after_s`."""
    verify: bool
    """Write a row of this epoch to the target and read it back."""
    raise_capacity: bool
    page: str | None
    """Wake a person, once for each text."""
    changed: bool
    """Whether the state is a new revision, to be committed before anything is asked."""


def decide(state: State, facts: Facts, policy: Policy) -> Decision:
    """Return what to believe and what to ask, given one observation.

    Total and deterministic: equal arguments give equal decisions.
    """
    evidence = weigh(facts.signals, facts.at_s, policy.fresh_s)
    verdict = judge(evidence)
    seen = _remember(state, verdict, facts.at_s, policy)
    event, reason = _foreign(seen, facts) or _READ[state.phase](seen, facts, evidence, policy)
    phase = TRANSITIONS[state.phase].get(event)
    if phase is None:
        return _ask(_stay(state, seen, reason), facts, committed=state)
    entered = replace(
        seen, phase=phase, since_s=facts.at_s, revision=state.revision + 1, reason=reason
    )
    return _ask(_enter(entered, event, facts, policy), facts, committed=state)


def _remember(state: State, verdict: Verdict, now_s: float, policy: Policy) -> State:
    """Return the state with how long a deadly verdict has held, unbroken and well watched."""
    if verdict not in DEADLY:
        return replace(state, verdict=verdict, bad_since_s=None)
    broken = state.bad_since_s is None or now_s - state.looked_s > policy.look_gap_max_s
    since_s = now_s if broken else state.bad_since_s
    return replace(state, verdict=verdict, bad_since_s=since_s, looked_s=now_s)


_WATCHING = frozenset({Phase.SUSPECT, Phase.BLOCKED, Phase.FENCING})
"""Phases in which each look is committed: the window must survive the function that watches it."""


def _stay(state: State, seen: State, reason: str) -> State:
    """Return the state after a look that moved nothing."""
    if state.phase in _WATCHING and seen != state:
        return replace(seen, revision=state.revision + 1, reason=reason)
    return state


def _enter(state: State, event: Event, facts: Facts, policy: Policy) -> State:
    """Return the state with what entering its phase changes."""
    now_s = facts.at_s
    match state.phase:
        case Phase.PROMOTE_INTENT | Phase.SWITCH_INTENT:
            return _with_intent(state, event, now_s, policy)
        case Phase.VERIFY if event is Event.ADOPTED_AWAY:
            return replace(state, writer=HOME.other, intent=None, epoch=state.epoch + 1)
        case Phase.VERIFY:
            return replace(state, writer=_target(state))
        case Phase.SHIFT:
            return replace(state, latched=state.writer is not HOME)
        case Phase.FAILED_OVER:
            return replace(state, block_until_s=now_s + policy.block_s, reconciled=False)
        case Phase.REJOINED if event is Event.SIGNED:
            return replace(state, reconciled=True)
        case Phase.STEADY:
            adopted = event is Event.ADOPTED_AT_HOME
            writer = HOME if adopted else state.writer
            return replace(
                state, intent=None, bad_since_s=None, writer=writer, latched=writer is not HOME
            )
        case _:
            return state


def _with_intent(state: State, event: Event, now_s: float, policy: Policy) -> State:
    """Return the state with a new intent: a new epoch, or another attempt of the same one."""
    again = event in {Event.RETRY, Event.CANCELLED} and state.intent is not None
    failover = state.phase is Phase.PROMOTE_INTENT
    epoch = state.epoch if again else state.epoch + 1
    intent = Intent(
        epoch=epoch,
        attempt=state.intent.attempt + 1 if again and state.intent else 1,
        move=Move.FAILOVER if failover else Move.SWITCHOVER,
        target=HOME.other if failover else state.writer.other,
        not_after_s=now_s + policy.intent_s,
    )
    quiet_until_s = intent.not_after_s + policy.actor_s + policy.skew_s
    return replace(state, epoch=epoch, intent=intent, quiet_until_s=quiet_until_s)


def _target(state: State) -> Side:
    assert state.intent is not None, "moved without an intent"
    return state.intent.target


def _ask(state: State, facts: Facts, *, committed: State) -> Decision:
    """Return the decision: what this state asks of the world, on every look that finds it."""
    moving = state.phase in {Phase.PROMOTE_INTENT, Phase.SWITCH_INTENT}
    intent = state.intent if moving else None
    serving_away = state.phase in {
        *(Phase.PROMOTE_INTENT, Phase.PROMOTING, Phase.VERIFY, Phase.SHIFT, Phase.FAILED_OVER),
    }
    waiting = {Phase.AWAIT_APPROVAL, Phase.BLOCKED, Phase.HALTED}
    entered = state.phase is not committed.phase
    return Decision(
        state=state,
        move=intent if intent and facts.at_s <= intent.not_after_s else None,
        verify=state.phase is Phase.VERIFY,
        raise_capacity=serving_away,
        page=state.reason if state.phase in waiting and entered else None,
        changed=state != committed,
    )


Read = tuple[Event, str]


def _foreign(state: State, facts: Facts) -> Read | None:
    """Return that somebody else moves or has moved the writer, if so, in whatever phase."""
    database = facts.database
    if database is None or state.phase is Phase.HALTED:
        return None
    if database.move is not None and not _ours(state, database):
        return Event.FOREIGN, f"somebody else is moving the writer to {database.move.target}"
    expected = {state.writer}
    if state.intent is not None and state.phase in _MOVING:
        expected.add(state.intent.target)
    if database.writer not in expected:
        return Event.FOREIGN, f"somebody else has moved the writer to {database.writer}"
    return None


_MOVING = frozenset(
    {Phase.PROMOTE_INTENT, Phase.PROMOTING, Phase.SWITCH_INTENT, Phase.SWITCHING, Phase.VERIFY}
)


def _ours(state: State, database: DatabaseView) -> bool:
    intent, move = state.intent, database.move
    if intent is None or move is None or state.phase not in _MOVING:
        return False
    return move.kind is intent.move and move.target is intent.target


def _read_steady(state: State, facts: Facts, _evidence: Evidence, _policy: Policy) -> Read:
    if state.bad_since_s is not None and state.writer is HOME:
        return Event.SUSPECTED, f"{state.verdict}: watching for the whole window"
    if _ordered(Order.SWITCHOVER, state, facts.command):
        return Event.ORDERED, f"{_author(facts)} asked for a switchover"
    return Event.NOTHING, f"steady: {state.verdict}"


def _read_suspect(state: State, facts: Facts, evidence: Evidence, policy: Policy) -> Read:
    if state.bad_since_s is None or evidence.writes_live:
        return Event.CLEARED, f"cleared: {state.verdict}"
    needed_s, held_s = _needed_s(state, policy), facts.at_s - state.bad_since_s
    if held_s < needed_s:
        if facts.at_s - state.since_s > policy.suspect_max_s:
            return Event.EXPIRED, "suspected for too long without a confirmation"
        bad = [str(one) for one in evidence.main].count("bad")
        text = f"confirming {state.verdict}: {bad} of 5 bad for {held_s:.0f} s of {needed_s:.0f} s"
        return Event.NOTHING, text
    return _guard(state, facts, policy, approved=False)


def _needed_s(state: State, policy: Policy) -> float:
    """Return how long a deadly verdict must hold: Aurora replaces a dead writer by itself first."""
    grace_s = policy.in_region_grace_s if state.verdict is Verdict.WRITER_DEAD else 0.0
    return policy.confirm_s + grace_s


def _guard(state: State, facts: Facts, policy: Policy, *, approved: bool) -> Read:
    """Return whether a confirmed disaster may be answered by moving the writer, and why not."""
    obstacle = _obstacle(state, facts, policy)
    if obstacle is not None:
        return Event.REFUSED, obstacle
    question = _question(state, facts, policy)
    if question is not None and not approved:
        return Event.ASKING, question
    return Event.ALLOWED, f"{state.verdict} confirmed: the writer moves to {HOME.other}"


def _obstacle(state: State, facts: Facts, policy: Policy) -> str | None:
    """Return what no approval can overcome."""
    database, now_s = facts.database, facts.at_s
    if database is None:
        return "the database's control plane does not answer"
    if policy.mode is FailoverMode.OBSERVE:
        return f"observing only: would have moved the writer to {HOME.other}"
    if any(start <= now_s < end for start, end in policy.freezes):
        return "frozen: nothing moves in this window"
    if now_s < state.quiet_until_s:
        return "an actor of the last attempt may still be about to call"
    if not database.standby_has_instance:
        return "the standby has no instance; it cannot be promoted"
    if not database.versions_match:
        return "the sides run different versions; Aurora refuses to move"
    if not database.standby_available:
        return "the standby is not available"
    return None


def _question(state: State, facts: Facts, policy: Policy) -> str | None:
    """Return what a person has to answer first."""
    loss_s = facts.loss_estimate_s
    if policy.mode is FailoverMode.APPROVE:
        return "confirmed; approval is asked for by design"
    if loss_s is None:
        return "confirmed; nobody can say how much would be lost"
    if loss_s > policy.loss_auto_s:
        return f"confirmed; up to {loss_s:.1f} s of writes would be lost"
    if facts.at_s < state.block_until_s:
        return "confirmed; the last move was less than an hour ago"
    return None


def _read_await_approval(state: State, facts: Facts, evidence: Evidence, policy: Policy) -> Read:
    if state.bad_since_s is None or evidence.writes_live:
        return Event.CLEARED, f"cleared while waiting: {state.verdict}"
    if _ordered(Order.DENY, state, facts.command):
        return Event.REFUSED, f"{_author(facts)} denied it"
    command = facts.command
    fresh = command is not None and facts.at_s - command.at_s <= policy.approval_max_s
    if fresh and _ordered(Order.APPROVE, state, command):
        return _guard(state, facts, policy, approved=True)
    return Event.NOTHING, state.reason


def _read_blocked(state: State, facts: Facts, evidence: Evidence, policy: Policy) -> Read:
    if state.bad_since_s is None or evidence.writes_live:
        return Event.CLEARED, f"cleared while blocked: {state.verdict}"
    if facts.at_s - state.bad_since_s < _needed_s(state, policy):
        return Event.NOTHING, state.reason
    return _guard(state, facts, policy, approved=False)


def _read_fencing(state: State, facts: Facts, evidence: Evidence, policy: Policy) -> Read:
    if evidence.writes_live or state.verdict not in DEADLY:
        return Event.CLEARED, f"cleared while fencing: {state.verdict}"
    lease_s = facts.lease_expires_s
    if lease_s is not None and facts.at_s < lease_s + policy.skew_s:
        return (
            Event.NOTHING,
            f"fencing: the old writer's lease runs for {lease_s - facts.at_s:.0f} s",
        )
    waited_s = facts.at_s - state.since_s
    if lease_s is None and waited_s < policy.fence_s:
        return Event.NOTHING, f"fencing: waited {waited_s:.0f} s of {policy.fence_s:.0f} s"
    return Event.FENCED, "the old writer's lease has run out"


def _read_intent(state: State, facts: Facts, _evidence: Evidence, policy: Policy) -> Read:
    intent, database = state.intent, facts.database
    assert intent is not None, "an intent phase without an intent"
    if database is not None and database.writer is intent.target:
        return Event.MOVED, f"the writer is on {intent.target}"
    if database is not None and database.move is not None:
        return Event.MOVING, f"{intent.operation}: Aurora is moving the writer"
    if facts.at_s <= intent.not_after_s + policy.skew_s:
        return Event.NOTHING, f"{intent.operation}: asked Aurora to move the writer"
    if intent.attempt >= policy.attempts_max:
        return Event.EXHAUSTED, f"Aurora was asked {intent.attempt} times and has not moved"
    return Event.RETRY, f"{intent.operation} had no effect; asking again"


def _read_moving(state: State, facts: Facts, _evidence: Evidence, policy: Policy) -> Read:
    intent, database = state.intent, facts.database
    assert intent is not None, "a moving phase without an intent"
    if database is not None and database.writer is intent.target and database.move is None:
        return Event.MOVED, f"the writer is on {intent.target}"
    if facts.at_s - state.since_s > policy.promote_max_s:
        return Event.STUCK, f"{intent.operation} has not finished in {policy.promote_max_s:.0f} s"
    if database is None or (database.move and database.move.progress is Progress.MOVING):
        return Event.NOTHING, f"{intent.operation}: moving"
    if database.move is not None:
        return Event.NOTHING, f"{intent.operation}: being cancelled"
    if intent.attempt >= policy.attempts_max:
        return Event.EXHAUSTED, f"Aurora cancelled {intent.attempt} attempts"
    return Event.CANCELLED, f"Aurora cancelled {intent.operation}"


def _read_verify(state: State, facts: Facts, _evidence: Evidence, _policy: Policy) -> Read:
    if facts.write_verified:
        return Event.VERIFIED, f"a write was read back on {state.writer}"
    return Event.NOTHING, f"verifying a write on {state.writer}"


def _read_shift(state: State, facts: Facts, _evidence: Evidence, _policy: Policy) -> Read:
    if facts.users_on is not state.writer:
        return Event.NOTHING, f"waiting until DNS answers with {state.writer}"
    if state.writer is HOME:
        return Event.SHIFTED_HOME, "users are home"
    lossy = state.intent is None or state.intent.move is Move.FAILOVER
    return (
        Event.SHIFTED_BY_FAILOVER if lossy else Event.SHIFTED_AWAY,
        f"users are on {state.writer}",
    )


def _read_failed_over(state: State, facts: Facts, _evidence: Evidence, _policy: Policy) -> Read:
    if facts.database is not None and facts.database.resynced:
        return Event.RESYNCED, f"{HOME} follows {state.writer} again"
    return Event.NOTHING, f"one Region alone: waiting until {HOME} follows again"


def _read_rejoined(state: State, facts: Facts, _evidence: Evidence, policy: Policy) -> Read:
    if not state.reconciled:
        if _ordered(Order.SIGN_RECONCILIATION, state, facts.command):
            return Event.SIGNED, f"{_author(facts)} signed the reconciliation"
        return Event.NOTHING, "waiting for a person to sign what became of the lost writes"
    if facts.at_s - state.since_s < policy.stable_s:
        return Event.NOTHING, "waiting until both sides have been stable for long enough"
    return Event.STABLE, "ready to go back, when asked"


def _read_failback_ready(state: State, facts: Facts, _evidence: Evidence, _policy: Policy) -> Read:
    if _ordered(Order.SWITCHOVER, state, facts.command):
        return Event.ORDERED, f"{_author(facts)} asked to go back"
    return Event.NOTHING, "ready to go back, when asked"


def _read_precheck(state: State, facts: Facts, _evidence: Evidence, policy: Policy) -> Read:
    waited_s = facts.at_s - state.since_s
    obstacle = _obstacle(state, facts, policy) or _unfit(state, facts, policy)
    if obstacle is None and waited_s >= policy.precheck_s:
        return Event.FIT, f"fit: the writer moves to {state.writer.other}, losing nothing"
    if waited_s > policy.precheck_max_s:
        event = Event.UNFIT_AT_HOME if state.writer is HOME else Event.UNFIT_AWAY
        return event, f"not fit for a switchover: {obstacle}"
    return Event.NOTHING, f"checking: {obstacle or 'fit so far'}"


def _unfit(state: State, facts: Facts, policy: Policy) -> str | None:
    if state.writer is HOME and state.verdict is not Verdict.HEALTHY:
        return f"the evidence says {state.verdict}"
    if facts.database is None or not facts.database.resynced:
        return "the other side does not follow"
    if facts.loss_estimate_s is None or facts.loss_estimate_s > policy.switch_lag_max_s:
        return "replication lags"
    return None


def _read_halted(state: State, facts: Facts, _evidence: Evidence, _policy: Policy) -> Read:
    database = facts.database
    if database is None or database.move is not None:
        return Event.NOTHING, state.reason
    if _ordered(Order.RESUME, state, facts.command) and database.writer is state.writer is HOME:
        return Event.RESUMED, f"{_author(facts)} resumed"
    if _ordered(Order.ADOPT, state, facts.command):
        event = Event.ADOPTED_AT_HOME if database.writer is HOME else Event.ADOPTED_AWAY
        return event, f"{_author(facts)} adopted the writer on {database.writer}"
    return Event.NOTHING, state.reason


def _ordered(order: Order, state: State, command: Command | None) -> bool:
    """Return whether a person gave this order having seen this very revision."""
    return command is not None and command.order is order and command.revision == state.revision


def _author(facts: Facts) -> str:
    return facts.command.author if facts.command else "somebody"


_READ: dict[Phase, Callable[[State, Facts, Evidence, Policy], Read]] = {
    Phase.STEADY: _read_steady,
    Phase.SUSPECT: _read_suspect,
    Phase.AWAIT_APPROVAL: _read_await_approval,
    Phase.BLOCKED: _read_blocked,
    Phase.FENCING: _read_fencing,
    Phase.PROMOTE_INTENT: _read_intent,
    Phase.PROMOTING: _read_moving,
    Phase.VERIFY: _read_verify,
    Phase.SHIFT: _read_shift,
    Phase.FAILED_OVER: _read_failed_over,
    Phase.REJOINED: _read_rejoined,
    Phase.FAILBACK_READY: _read_failback_ready,
    Phase.SWITCH_PRECHECK: _read_precheck,
    Phase.SWITCH_INTENT: _read_intent,
    Phase.SWITCHING: _read_moving,
    Phase.HALTED: _read_halted,
}
