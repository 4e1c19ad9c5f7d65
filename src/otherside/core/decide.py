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
from typing import assert_never

from otherside.core.facts import Command, DatabaseView, Facts, Move, Order, Progress
from otherside.core.policy import Policy
from otherside.core.state import Intent, Phase, State
from otherside.core.topology import FailoverMode, Side
from otherside.core.transitions import TRANSITIONS, Event
from otherside.core.verdict import DEADLY, Evidence, Verdict, judge, weigh

HOME = Side.PRIMARY
"""Where the writer is by design. Only this side is ever left without being asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the lease should say: on which side's writer, at which epoch, and whether at all."""

    side: Side
    epoch: int
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to believe from now on, and what the new state asks of the world."""

    state: State
    changed: bool
    """Whether the state is a new revision, to be committed before anything is asked."""
    verdict: Verdict
    """What this look means."""
    reason: str
    """This look in one sentence, for people."""
    move: Intent | None
    """Ask Aurora for this, if it is not yet `not_after_s`."""
    terms: Terms | None
    """What the lease should say; `None` leaves it as it is."""
    raise_capacity: bool
    notice: str | None
    """What to tell people of this revision."""
    urgent: bool
    """Whether it waits for a person."""


def decide(state: State, facts: Facts, policy: Policy) -> Decision:
    """Return what to believe and what to ask, given one observation.

    Total and deterministic: equal arguments give equal decisions.
    """
    evidence = weigh(facts.signals, facts.at_s, policy.fresh_s)
    seen = _remember(state, evidence, facts, policy)
    event, reason = _foreign(seen, facts, policy) or _READ[state.phase](
        seen, facts, evidence, policy
    )
    phase = TRANSITIONS[state.phase].get(event)
    if phase is None:
        return _ask(_stay(state, seen, reason, facts, policy), state, facts, (seen.verdict, reason))
    revision = state.revision + 1
    entered = replace(
        seen, phase=phase, since_s=facts.at_s, revision=revision, entered=revision, reason=reason
    )
    return _ask(_enter(entered, event, facts, policy), state, facts, (seen.verdict, reason))


def objection(state: State, facts: Facts, policy: Policy) -> str | None:
    """Return why the committed intent must not be carried out, or `None` if it may.

    The actuator asks this of its own look at the world, right before it calls: no mistake of one
    function alone moves the writer.
    """
    intent = state.intent
    if intent is None or state.phase not in _ASKING:
        return f"no intent is committed in {state.phase}"
    if facts.at_s > intent.not_after_s:
        return f"{intent.operation} has expired"
    foreign = _foreign(state, facts, policy)
    if foreign is not None:
        return foreign[1]
    obstacle = _obstacle(state, facts, policy)
    if obstacle is not None:
        return obstacle
    if facts.database is not None and facts.database.move is not None:
        return f"{intent.operation}: Aurora is moving the writer already"
    if intent.move is Move.SWITCHOVER:
        return None
    if facts.lease is None or facts.lease.open:
        return "the old writer's lease is not known to be closed"
    evidence = weigh(facts.signals, facts.at_s, policy.fresh_s)
    if evidence.writes_live:
        return "a write was seen to work"
    verdict = judge(evidence)
    return None if verdict in DEADLY else f"nothing is seen to be dead: {verdict}"


def needs_capacity(state: State, facts: Facts) -> bool:
    """Return whether the standby is to serve everyone and may have too few instances for it."""
    return state.phase in _AWAY and facts.capacity_short is not False


def _remember(state: State, evidence: Evidence, facts: Facts, policy: Policy) -> State:
    """Return the state with what this look adds to what is known, whatever the phase.

    A look that finds out too little counts as none: it neither confirms nor clears. A sign of life
    clears at once, and so do looks that found out too little for too long.
    """
    now_s, verdict = facts.at_s, judge(evidence)
    near = now_s - state.looked_s <= _gap_max_s(facts, policy)
    if verdict is Verdict.UNCERTAIN and near and not evidence.writes_live:
        seen = replace(state, verdict=verdict)
    elif verdict not in DEADLY:
        seen = replace(state, verdict=verdict, bad_since_s=None)
    else:
        unbroken = state.bad_since_s is not None and near
        lived = _lived_since(state, facts, policy)
        since_s = state.bad_since_s if unbroken and not lived else now_s
        seen = replace(state, verdict=verdict, bad_since_s=since_s, looked_s=now_s)
    if state.phase is Phase.FENCING and facts.lease is not None:
        seen = replace(seen, fenced_s=_fenced_since(state, facts))
    return _heed(seen, facts)


def _gap_max_s(facts: Facts, policy: Policy) -> float:
    """Return how far apart two looks may be that confirm one another.

    Farther where the writer's own traces tell whether it lived in between.
    """
    return policy.look_gap_max_s / (1 if facts.replication is not None else 2)


def _lived_since(state: State, facts: Facts, policy: Policy) -> bool:
    """Return whether the writer is known to have written since it was first seen as dead.

    Nobody may have looked at that moment; what it left in the store or on the standby tells.
    """
    replication, since_s = facts.replication, state.bad_since_s
    if replication is None or since_s is None:
        return False
    return replication.lived_s > since_s + policy.skew_s


def _fenced_since(state: State, facts: Facts) -> float | None:
    """Return since when the lease has been seen closed without a break."""
    assert facts.lease is not None, "asked of a lease that nobody saw"
    if facts.lease.open:
        return None
    return facts.lease.seen_s if state.fenced_s is None else state.fenced_s


def _heed(state: State, facts: Facts) -> State:
    """Return the state with a freeze that a person asked for; in any phase, once."""
    freeze = facts.freeze
    if freeze is None or freeze.order is not Order.FREEZE or freeze.at_s == state.heeded_s:
        return state
    return replace(state, frozen_until_s=freeze.until_s or 0.0, heeded_s=freeze.at_s)


_WATCHING = frozenset({Phase.SUSPECT, Phase.AWAIT_APPROVAL, Phase.BLOCKED, Phase.FENCING})
"""Phases whose looks are committed: the window must survive the function that watches it."""
_WAITING = frozenset({Phase.AWAIT_APPROVAL, Phase.BLOCKED, Phase.HALTED})
"""Phases that wait for a person, who is told again and again."""
_PATIENCE_S = {
    Phase.PROMOTE_INTENT: 120.0,
    Phase.PROMOTING: 300.0,
    Phase.SWITCHING: 600.0,
    Phase.VERIFY: 120.0,
    Phase.SHIFT: 180.0,
    Phase.FAILED_OVER: 86_400.0,
}
"""How long a phase may take before a person hears that it has not passed."""
_ASKING = frozenset({Phase.PROMOTE_INTENT, Phase.SWITCH_INTENT})
_MOVING = frozenset(
    {Phase.PROMOTE_INTENT, Phase.PROMOTING, Phase.SWITCH_INTENT, Phase.SWITCHING, Phase.VERIFY}
)
_CLOSED = frozenset({Phase.FENCING, Phase.PROMOTE_INTENT, Phase.PROMOTING})
"""Phases in which no side may acknowledge a write."""
_AWAY = frozenset(
    {Phase.PROMOTE_INTENT, Phase.PROMOTING, Phase.VERIFY, Phase.SHIFT, Phase.FAILED_OVER}
)
"""Phases in which the standby serves everyone, or is about to."""


def _stay(state: State, seen: State, reason: str, facts: Facts, policy: Policy) -> State:
    """Return the state after a look that moved nothing: a new revision where it must be kept."""
    if _is_overdue(state, facts.at_s) and facts.at_s - state.told_s >= policy.remind_s:
        told = replace(seen, told_s=facts.at_s)
    elif seen.heeded_s != state.heeded_s or _worth_keeping(state, seen, policy):
        told = seen
    else:
        return state
    return replace(told, revision=state.revision + 1, reason=reason)


def _is_overdue(state: State, now_s: float) -> bool:
    """Return whether a phase needs a person: because it always does, or by how long it lasts."""
    if state.phase in _WAITING:
        return True
    patience_s = _PATIENCE_S.get(state.phase)
    return patience_s is not None and now_s - state.since_s >= patience_s


def _worth_keeping(state: State, seen: State, policy: Policy) -> bool:
    """Return whether a look adds more than that it was taken, or it is time to say so again."""
    if state.phase not in _WATCHING:
        return False
    if seen.looked_s - state.looked_s >= policy.look_gap_max_s / 3:
        return True
    return replace(seen, looked_s=state.looked_s) != state


def _enter(state: State, event: Event, facts: Facts, policy: Policy) -> State:
    """Return the state with what entering its phase changes."""
    now_s = facts.at_s
    match state.phase:
        case Phase.FENCING:
            return _with_loss(state, facts)
        case Phase.PROMOTE_INTENT | Phase.SWITCH_INTENT:
            return _with_intent(state, event, now_s, policy)
        case Phase.VERIFY:
            return _with_writer(state, event, now_s)
        case Phase.SHIFT:
            return replace(state, latched=state.writer is not HOME)
        case Phase.FAILED_OVER:
            return replace(state, block_until_s=now_s + policy.block_s, reconciled=False)
        case Phase.REJOINED if event is Event.SIGNED:
            return replace(state, reconciled=True)
        case Phase.STEADY:
            return _at_home(state, event, now_s)
        case Phase.AWAIT_APPROVAL | Phase.BLOCKED | Phase.HALTED:
            return replace(state, told_s=now_s, denied=state.denied or event is Event.DENIED)
        case (
            Phase.SUSPECT
            | Phase.PROMOTING
            | Phase.REJOINED
            | Phase.FAILBACK_READY
            | Phase.SWITCH_PRECHECK
            | Phase.SWITCHING
        ):
            return state
        case _:
            assert_never(state.phase)


def _with_loss(state: State, facts: Facts) -> State:
    """Return the state with what leaving now would lose, for the record."""
    loss = facts.replication
    return replace(
        state,
        fenced_s=None,
        loss_estimate_s=loss.estimate_s if loss else None,
        loss_bound_s=loss.bound_s if loss else None,
    )


def _with_writer(state: State, event: Event, now_s: float) -> State:
    """Return the state with the writer where it was moved to, by us or by somebody else."""
    if event is Event.ADOPTED_AWAY:
        return replace(state, writer=HOME.other, intent=None, epoch=state.epoch + 1, moved_s=now_s)
    assert state.intent is not None, "moved without an intent"
    return replace(state, writer=state.intent.target, moved_s=now_s)


def _at_home(state: State, event: Event, now_s: float) -> State:
    """Return the state with nothing suspected; adopted where it stands, if a person said so."""
    if event is Event.ADOPTED_AT_HOME:
        state = replace(state, writer=HOME, intent=None, moved_s=now_s)
    return replace(state, bad_since_s=None, denied=False, latched=state.writer is not HOME)


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
    # From the attempt on, and again from its end: whatever becomes of it, the next is a person's.
    block_until_s = now_s + policy.block_s if failover else state.block_until_s
    return replace(
        state,
        epoch=epoch,
        intent=intent,
        quiet_until_s=quiet_until_s,
        block_until_s=block_until_s,
    )


def _ask(state: State, committed: State, facts: Facts, meant: tuple[Verdict, str]) -> Decision:
    """Return the decision: what this state asks of the world, on every look that finds it."""
    verdict, reason = meant
    intent = state.intent if state.phase in _ASKING else None
    told = state.revision != committed.revision and (
        state.phase is not committed.phase
        or state.told_s != committed.told_s
        or state.intent != committed.intent
        or state.heeded_s != committed.heeded_s
    )
    return Decision(
        state=state,
        changed=state.revision != committed.revision,
        verdict=verdict,
        reason=reason,
        move=intent if intent and facts.at_s <= intent.not_after_s else None,
        terms=_terms(state),
        raise_capacity=needs_capacity(state, facts),
        notice=f"{state.phase}: {reason}" if told else None,
        urgent=_is_overdue(state, facts.at_s),
    )


def _terms(state: State) -> Terms | None:
    """Return what the lease should say. A halt leaves it as it was: nobody knows who writes."""
    if state.phase is Phase.HALTED:
        return None
    return Terms(side=state.writer, epoch=state.epoch, open=state.phase not in _CLOSED)


Read = tuple[Event, str]


def _foreign(state: State, facts: Facts, policy: Policy) -> Read | None:
    """Return that somebody else moves or has moved the writer, if so, in whatever phase.

    For a while after a move of our own, a description may still be one from before it.
    """
    database = facts.database
    if database is None or state.phase is Phase.HALTED:
        return None
    settled = facts.at_s - state.moved_s > policy.settle_s
    ours = state.phase in _MOVING or not settled
    # A move to where the writer is already may be reported for as long as replicas follow.
    arrived = database.move is not None and database.move.target is database.writer is state.writer
    if database.move is not None and not arrived and not (ours and _is_intended(state, database)):
        return Event.FOREIGN, f"somebody else is moving the writer to {database.move.target}"
    expected = {state.writer} if settled else {state.writer, state.writer.other}
    if state.intent is not None and state.phase in _MOVING:
        expected.add(state.intent.target)
    if database.writer not in expected:
        return Event.FOREIGN, f"somebody else has moved the writer to {database.writer}"
    return None


def _is_intended(state: State, database: DatabaseView) -> bool:
    """Return whether a move is the one that we asked for, or one that a person took over."""
    intent, move = state.intent, database.move
    if intent is None or move is None:
        return move is not None
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
        return Event.NOTHING, (
            f"confirming {state.verdict}: {evidence.bad} of {len(evidence.main)} signals bad for "
            f"{held_s:.0f} s of {needed_s:.0f} s; {_lag(facts)}"
        )
    if state.verdict not in DEADLY:
        return Event.NOTHING, f"confirmed for {held_s:.0f} s, and too little was seen just now"
    return _guard(state, facts, policy, approved=False)


def _lag(facts: Facts) -> str:
    replication = facts.replication
    return f"lag {replication.lag_max_s:.1f} s" if replication else "lag unknown"


def _needed_s(state: State, policy: Policy) -> float:
    """Return how long a deadly verdict must hold: Aurora replaces a dead writer by itself first."""
    grace_s = policy.in_region_grace_s if state.verdict is Verdict.WRITER_DEAD else 0.0
    return policy.confirm_s + grace_s


def _guard(state: State, facts: Facts, policy: Policy, *, approved: bool) -> Read:
    """Return whether a confirmed disaster may be answered by moving the writer, and why not."""
    obstacle = _obstacle(state, facts, policy)
    if obstacle is not None:
        return Event.REFUSED, obstacle
    if facts.at_s < state.quiet_until_s:
        return Event.REFUSED, "an actor of the last attempt may still be about to call"
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
        return "frozen by the design: nothing moves in this window"
    if now_s < state.frozen_until_s:
        return f"frozen by a person for another {state.frozen_until_s - now_s:.0f} s"
    if not database.standby_has_instance:
        return "the standby has no instance; it cannot be promoted"
    if not database.versions_match:
        return "the sides run different versions; Aurora refuses to move"
    if not database.standby_available:
        return "the standby is not available"
    return None


def _question(state: State, facts: Facts, policy: Policy) -> str | None:
    """Return what a person has to answer first."""
    loss = facts.replication
    if policy.mode is FailoverMode.APPROVE:
        return f"confirmed; approval is asked for by design; {_loss(facts)}"
    if loss is None:
        return f"confirmed; {_loss(facts)}"
    if loss.estimate_s > policy.loss_auto_s:
        return f"confirmed; {_loss(facts)}, more than {policy.loss_auto_s:.1f} s"
    if facts.at_s < state.block_until_s:
        return "confirmed; the last move was less than an hour ago"
    return None


def _loss(facts: Facts) -> str:
    loss = facts.replication
    if loss is None:
        return "nobody can say how much would be lost"
    return (
        f"about {loss.estimate_s:.1f} s of writes would be lost, and {loss.bound_s:.1f} s at the "
        "most"
    )


def _read_await_approval(state: State, facts: Facts, evidence: Evidence, policy: Policy) -> Read:
    if state.bad_since_s is None or evidence.writes_live:
        return Event.CLEARED, f"cleared while waiting: {state.verdict}"
    if _ordered(Order.DENY, state, facts.command):
        return Event.DENIED, f"{_author(facts)} denied it"
    if state.verdict not in DEADLY:
        return Event.NOTHING, state.reason
    if _approved(state, facts, policy):
        return _guard(state, facts, policy, approved=True)
    if facts.at_s - state.bad_since_s >= _needed_s(state, policy):
        event, reason = _guard(state, facts, policy, approved=False)
        if event is Event.ALLOWED:
            return event, reason  # what stood in the way is gone; nobody is needed any more
    return Event.NOTHING, state.reason


def _approved(state: State, facts: Facts, policy: Policy) -> bool:
    """Return whether a person said yes to this very question, and not too long ago."""
    command = facts.command
    fresh = command is not None and facts.at_s - command.at_s <= policy.approval_max_s
    return fresh and _ordered(Order.APPROVE, state, command)


def _read_blocked(state: State, facts: Facts, evidence: Evidence, policy: Policy) -> Read:
    if evidence.writes_live or (state.bad_since_s is None and not state.denied):
        return Event.CLEARED, f"cleared while blocked: {state.verdict}"
    held_s = 0.0 if state.bad_since_s is None else facts.at_s - state.bad_since_s
    if state.verdict not in DEADLY or held_s < _needed_s(state, policy):
        return Event.NOTHING, state.reason
    approved = _approved(state, facts, policy)
    if state.denied and not approved:
        return Event.NOTHING, state.reason
    return _guard(state, facts, policy, approved=approved)


def _read_fencing(state: State, facts: Facts, evidence: Evidence, policy: Policy) -> Read:
    if evidence.writes_live or state.bad_since_s is None:
        return Event.CLEARED, f"cleared while fencing: {state.verdict}"
    obstacle = _obstacle(state, facts, policy) if facts.database is not None else None
    if obstacle is not None:
        return Event.REFUSED, obstacle
    if state.fenced_s is None:
        return Event.NOTHING, "fencing: closing the old writer's lease"
    left_s = state.fenced_s + policy.lease_s + policy.skew_s - facts.at_s
    if state.verdict not in DEADLY:
        return Event.NOTHING, "fencing: too little was seen just now"
    if facts.at_s - state.bad_since_s < _needed_s(state, policy):
        return Event.NOTHING, f"fencing: {state.verdict} is waited for longer"
    if left_s > 0:
        return Event.NOTHING, f"fencing: the old writer's lease runs out in {left_s:.0f} s"
    return Event.FENCED, "the old writer's lease has run out"


def _read_intent(state: State, facts: Facts, evidence: Evidence, policy: Policy) -> Read:
    intent, database = state.intent, facts.database
    assert intent is not None, "an intent phase without an intent"
    if database is not None and database.writer is intent.target:
        return Event.MOVED, f"the writer is on {intent.target}"
    if database is not None and database.move is not None:
        return Event.MOVING, f"{intent.operation}: Aurora is moving the writer"
    if facts.at_s <= intent.not_after_s + policy.skew_s:
        return Event.NOTHING, f"{intent.operation}: asked Aurora to move the writer"
    if evidence.writes_live and state.phase is Phase.PROMOTE_INTENT:
        # What was called last may not be in a description yet that is as old as it may be.
        if facts.at_s < state.quiet_until_s + policy.settle_s:
            return Event.NOTHING, f"{intent.operation}: a write works; letting it expire"
        return Event.CLEARED, f"{intent.operation} expired and a write works"
    if state.phase is Phase.PROMOTE_INTENT and state.verdict not in DEADLY:
        return Event.NOTHING, f"{intent.operation} had no effect, and too little was seen just now"
    if intent.attempt >= policy.attempts_max:
        return Event.EXHAUSTED, f"Aurora was asked {intent.attempt} times and has not moved"
    return Event.RETRY, f"{intent.operation} had no effect; asking again"


def _read_moving(state: State, facts: Facts, _evidence: Evidence, policy: Policy) -> Read:
    intent, database = state.intent, facts.database
    assert intent is not None, "a moving phase without an intent"
    if database is not None and database.writer is intent.target:
        return Event.MOVED, f"the writer is on {intent.target}"
    if facts.at_s - state.since_s > policy.promote_max_s:
        return Event.STUCK, f"{intent.operation} has not finished in {policy.promote_max_s:.0f} s"
    if database is None or (database.move and database.move.progress is Progress.MOVING):
        return Event.NOTHING, f"{intent.operation}: moving"
    if database.move is not None:
        return Event.NOTHING, f"{intent.operation}: being cancelled"
    if facts.at_s - state.since_s <= policy.settle_s:
        return Event.NOTHING, f"{intent.operation}: not seen to move; the view may be an old one"
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
    database = facts.database
    if database is not None and database.writer is state.writer and database.resynced:
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
    if facts.replication is None:
        return "nobody can say how far the other side lags"
    if facts.replication.lag_max_s > policy.switch_lag_max_s:
        return f"replication lags by {facts.replication.lag_max_s:.1f} s"
    return None


def _read_halted(state: State, facts: Facts, _evidence: Evidence, policy: Policy) -> Read:
    database = facts.database
    resume = _ordered(Order.RESUME, state, facts.command)
    adopt = _ordered(Order.ADOPT, state, facts.command)
    if database is None or database.move is not None or not (resume or adopt):
        return Event.NOTHING, state.reason
    # What is described may be old, and what was called last may not be in it yet.
    settled_s = max(state.quiet_until_s, state.since_s) + policy.settle_s
    if facts.at_s < settled_s:
        return Event.NOTHING, f"{state.reason}; an order counts in {settled_s - facts.at_s:.0f} s"
    if resume and database.writer is state.writer is HOME:
        return Event.RESUMED, f"{_author(facts)} resumed"
    if adopt:
        event = Event.ADOPTED_AT_HOME if database.writer is HOME else Event.ADOPTED_AWAY
        return event, f"{_author(facts)} adopted the writer on {database.writer}"
    return Event.NOTHING, state.reason


def _ordered(order: Order, state: State, command: Command | None) -> bool:
    """Return whether a person gave this order having seen this phase as it was entered."""
    return (
        command is not None
        and command.order is order
        and state.entered <= command.revision <= state.revision
    )


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
