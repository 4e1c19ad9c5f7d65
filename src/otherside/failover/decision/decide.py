"""The whole decision: one total function over one transition table.

Rule 1: `evidence` holds all that can change the phase, and `gates` all that can stop a move.
Rule 2: the core knows sides and seconds, and nothing about AWS.
Rule 3: any write that was seen to work vetoes a move that loses data.
Rule 4: the orchestrator asks for nothing that the committed state does not ask for.

`decide` reads the phase's event from the observation, looks up the next phase in `TRANSITIONS`,
and works out what the new state asks for. Actions are level-triggered: every tick asks for them
until an observation shows that they are done. So each action is safe to repeat, and a crash loses
none.
"""

from dataclasses import dataclass, replace
from typing import Any, assert_never

from otherside.core.topology import Side
from otherside.failover.decision.evidence import (
    MOVING,
    TROUBLES,
    external_move,
    highest_epoch,
    is_anchored,
    read,
    trouble_of,
)
from otherside.failover.decision.gates import (
    HOME,
    Obstacle,
    approval_reason,
    hard_block,
    needed_s,
)
from otherside.failover.decision.observation import Move, Observation, Order, Reading
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Intent, Phase, State, Trouble
from otherside.failover.decision.transitions import FOREIGN, TRANSITIONS, Event
from otherside.failover.decision.verdict import BLIND, DEADLY, Evidence, Verdict, judge, weigh


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTerms:
    """The terms the lease should carry: which side's writer, which epoch, and open or closed."""

    side: Side
    epoch: int
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The state to go on with, and the actions that it asks for."""

    state: State
    changed: bool
    """Whether the state is a new revision, which must be committed before any action."""
    verdict: Verdict
    """The verdict of this tick."""
    reason: str
    """The reason of this tick in one sentence, for people."""
    move: Intent | None
    """The move to ask Aurora for, unless it is past `not_after_s`."""
    terms: LeaseTerms | None
    """The terms the lease should carry; `None` leaves the lease as it is."""
    latch: bool | None
    """Whether to hold users on the standby; `None` leaves the latch as it is."""
    raise_capacity: bool
    notice: str | None
    """The notification for this revision, if it needs one."""
    urgent: bool
    """Whether a person needs to act."""
    obstacle: Obstacle | None = None
    """What would forbid a failover now, whoever approved it."""


def decide(state: State, observation: Observation, policy: FailoverPolicy) -> Decision:
    """Return the next state and its actions, given one observation.

    Total and deterministic: equal arguments give equal decisions.
    """
    evidence = weigh(observation.signals, observation.at_s, policy.fresh_s)
    seen = _update_evidence(state, evidence, observation, policy)
    event, reason = read(seen, observation, evidence, policy)
    phase = TRANSITIONS[state.phase].get(event)
    if phase is None:
        stayed = _without_transition(state, seen, reason, observation, policy)
        return _to_decision(stayed, state, observation, policy, reason, seen.verdict)
    revision = state.revision + 1
    entered = replace(
        seen,
        phase=phase,
        since_s=observation.at_s,
        revision=revision,
        entered=revision,
        entered_by=str(event),
        reason=reason,
        fenced_s=seen.fenced_s if phase is Phase.FENCING else None,
    )
    settled = _count_flap(
        _enter(entered, event, observation, policy), state, observation.at_s, policy
    )
    return _to_decision(settled, state, observation, policy, reason, seen.verdict)


def veto_reason(state: State, observation: Observation, policy: FailoverPolicy) -> str | None:
    """Return why the committed intent must not be carried out, or `None` if it may.

    The actuator asks this about its own observation, right before it calls Aurora. So no error in a
    single function can move the writer.
    """
    intent = state.intent
    if intent is None or state.phase not in _ASKING:
        return f"no intent is committed in {state.phase}"
    if observation.at_s > intent.not_after_s:
        return f"{intent.operation} has expired"
    others = external_move(state, observation, policy)
    if others is not None:
        return others[1]
    against = hard_block(state, observation, policy)
    if against is not None:
        return against.reason
    database = observation.database
    if database is not None and database.move is not None and not intent.instead:
        return f"{intent.operation}: Aurora is moving the writer already"
    if database is None or database.writer is not state.writer:
        return f"{intent.operation}: the writer is not where it was"
    if intent.move is Move.SWITCHOVER:
        return None
    if observation.lease is None or observation.lease.open:
        return "the old writer's lease is not known to be closed"
    evidence = weigh(observation.signals, observation.at_s, policy.fresh_s)
    if evidence.writes_live:
        return "a write was seen to work"
    verdict = judge(evidence)
    return None if verdict in DEADLY else f"nothing is seen to be dead: {verdict}"


def needs_capacity(state: State, observation: Observation) -> bool:
    """Return whether the standby is to serve everyone and may have too few instances for it."""
    serves = state.phase in _AWAY or (state.writer is not HOME and state.phase is not Phase.HALTED)
    return serves and observation.capacity_short is not False


def is_moving(state: State) -> bool:
    """Return whether the writer may be moving, so that Aurora's events are worth reading."""
    return state.phase in MOVING


def _update_evidence(
    state: State, evidence: Evidence, observation: Observation, policy: FailoverPolicy
) -> State:
    """Return the state updated with what this observation adds, in any phase.

    An observation that finds out too little neither confirms nor clears. A sign of life clears at
    once, and so does a run of such observations that lasts too long.
    """
    now_s = observation.at_s
    answered_s = now_s if evidence.control_plane is Reading.GOOD else state.answered_s
    verdict = _judge_with_memory(answered_s, evidence, now_s, policy)
    changes: dict[str, Any] = {
        "answered_s": answered_s,
        "verdict": verdict,
        "unanimous": verdict is Verdict.REGION_DEAD and evidence.unanimous,
    }
    near = now_s - state.looked_s <= _gap_max_s(observation, policy)
    knows = verdict not in BLIND or not near or evidence.writes_live
    if verdict in DEADLY and knows:
        unbroken = state.bad_since_s is not None and near
        lived = _lived_since(state, observation, policy)
        changes["bad_since_s"] = state.bad_since_s if unbroken and not lived else now_s
        changes["looked_s"] = now_s
    elif knows:
        changes["bad_since_s"] = None
    if state.phase in _FENCED and observation.lease is not None:
        changes["fenced_s"] = _fenced_since(state, observation)
    seen = replace(state, **changes)
    return _apply_freeze(_update_conditions(seen, evidence, observation), observation)


def _judge_with_memory(
    answered_s: float, evidence: Evidence, now_s: float, policy: FailoverPolicy
) -> Verdict:
    """Return the verdict; not knowing of RDS for a moment makes no silent Region a dead one."""
    verdict = judge(evidence)
    unknown = evidence.control_plane is Reading.UNKNOWN
    if verdict is Verdict.REGION_DEAD and unknown:
        lately = now_s - answered_s <= policy.look_gap_max_s
        return Verdict.REGION_SILENT if lately else verdict
    return verdict


def _update_conditions(state: State, evidence: Evidence, observation: Observation) -> State:
    """Return the state with the lasting conditions that no phase stands for."""
    now_s = observation.at_s
    well = state.verdict is Verdict.HEALTHY
    ailing = None if well else state.unwell_since_s if state.unwell_since_s is not None else now_s
    failing, since_s = state.failing, state.failing_since_s
    if observation.failing is not None:
        failing = observation.failing
        since_s = None if not failing else now_s if since_s is None else since_s
    trouble = trouble_of(state, observation, evidence) if state.phase in _SERVING else Trouble.NONE
    return replace(
        state,
        unwell_since_s=ailing,
        failing=failing,
        failing_since_s=since_s,
        trouble=trouble,
    )


def _gap_max_s(observation: Observation, policy: FailoverPolicy) -> float:
    """Return the longest gap at which two observations still confirm each other.

    The gap is twice as long when replication data shows whether the writer lived in between.
    """
    return policy.look_gap_max_s / (1 if observation.replication is not None else 2)


def _lived_since(state: State, observation: Observation, policy: FailoverPolicy) -> bool:
    """Return whether the writer is known to have written since it was first seen as dead.

    No tick need have run at that moment: heartbeats in the state table or on the standby show it.
    """
    replication, since_s = observation.replication, state.bad_since_s
    if replication is None or since_s is None:
        return False
    return replication.lived_s > since_s + policy.skew_s


def _fenced_since(state: State, observation: Observation) -> float | None:
    """Return the time since which the lease has been seen closed without interruption."""
    assert observation.lease is not None, "asked of a lease that nobody saw"
    if observation.lease.open:
        return None
    return observation.lease.seen_s if state.fenced_s is None else state.fenced_s


def _apply_freeze(state: State, observation: Observation) -> State:
    """Return the state with a freeze that a person ordered; applied once, in any phase."""
    freeze = observation.freeze
    if freeze is None or freeze.order is not Order.FREEZE or freeze.at_s == state.heeded_s:
        return state
    return replace(state, frozen_until_s=freeze.until_s or 0.0, heeded_s=freeze.at_s)


_WATCHING = frozenset(
    {Phase.SUSPECT, Phase.AWAIT_APPROVAL, Phase.BLOCKED, Phase.FENCING, Phase.SWITCHING}
)
"""Phases whose observations are committed, so that the window outlives one function run."""
_SERVING = frozenset({Phase.FAILED_OVER, Phase.REJOINED, Phase.FAILBACK_READY})
"""Phases in which the orchestrator rests while the standby serves everyone."""
_PATIENCE_S: dict[Phase, float | None] = {
    Phase.STEADY: None,
    Phase.SUSPECT: 300.0,
    Phase.AWAIT_APPROVAL: 0.0,
    Phase.BLOCKED: 0.0,
    Phase.FENCING: 60.0,
    Phase.PROMOTE_INTENT: 120.0,
    Phase.PROMOTING: 300.0,
    Phase.VERIFY: 120.0,
    Phase.SHIFT: 180.0,
    Phase.FAILED_OVER: 86_400.0,
    Phase.REJOINED: 86_400.0,
    Phase.FAILBACK_READY: 7 * 86_400.0,
    Phase.SWITCH_PRECHECK: 240.0,
    Phase.SWITCH_INTENT: 120.0,
    Phase.SWITCHING: 180.0,
    Phase.HALTED: 0.0,
}
"""How long a phase may last before people are notified, repeatedly; `None` means for ever."""
_ASKING = frozenset({Phase.PROMOTE_INTENT, Phase.SWITCH_INTENT})
_FENCED = frozenset({Phase.SUSPECT, Phase.FENCING})
"""Phases in which the lease may be closed and has not expired yet."""
_CLOSED = frozenset({Phase.FENCING, Phase.PROMOTE_INTENT, Phase.PROMOTING})
"""Phases in which no side may acknowledge a write."""
_AWAY = frozenset({Phase.PROMOTE_INTENT, Phase.PROMOTING})
"""Phases in which the standby is about to serve everyone (it already does if it has the writer)."""


def _without_transition(
    state: State, seen: State, reason: str, observation: Observation, policy: FailoverPolicy
) -> State:
    """Return the state after a tick without a transition: a new revision only if one is needed."""
    now_s = observation.at_s
    waited = state.told_s < state.since_s or now_s - state.told_s >= policy.remind_s
    unsaid = seen.trouble is not state.trouble and seen.trouble is not Trouble.NONE
    ails = _ailment(seen, now_s, policy)
    said = state.phase is Phase.STEADY and state.told_s > state.since_s
    relieved = state.trouble is not Trouble.NONE and seen.trouble is Trouble.NONE
    recovered = (said or relieved) and _is_well(seen)
    if not state.anchored and is_anchored(observation):
        told = replace(seen, anchored=True)
    elif state.revision == 0:
        told = seen
    elif unsaid or (waited and (ails is not None or _is_overdue(state, now_s))):
        told, reason = replace(seen, told_s=now_s), _joined(reason, ails)
    elif recovered:
        told, reason = replace(seen, told_s=state.since_s), f"{reason}: well again"
    elif seen.heeded_s != state.heeded_s or _worth_keeping(state, seen, policy):
        told = seen
    else:
        told = None
    return state if told is None else replace(told, revision=state.revision + 1, reason=reason)


def _joined(reason: str, ailment: str | None) -> str:
    return reason if ailment is None or ailment in reason else f"{reason}; {ailment}"


def _ailment(state: State, now_s: float, policy: FailoverPolicy) -> str | None:
    """Return, as one sentence, a problem to notify people of although no phase waits for them."""
    if state.trouble is not Trouble.NONE:
        return TROUBLES[state.trouble]
    failing_s = state.failing_since_s
    if failing_s is not None and now_s - failing_s >= policy.failing_max_s:
        return f"failing for {now_s - failing_s:.0f} s: {'; '.join(state.failing)}"
    if not state.anchored and now_s - state.since_s >= policy.blind_max_s:
        return (
            "nothing is opened or decided until then: see that the lease agents run and may report"
        )
    unwell_s = state.unwell_since_s
    if (
        state.phase is Phase.STEADY
        and unwell_s is not None
        and now_s - unwell_s >= policy.blind_max_s
    ):
        return f"{state.verdict} for {now_s - unwell_s:.0f} s, and nothing is decided by that"
    return None


def _is_well(state: State) -> bool:
    well = state.unwell_since_s is None or state.phase is not Phase.STEADY
    return well and state.anchored and not state.failing and state.trouble is Trouble.NONE


def _is_overdue(state: State, now_s: float) -> bool:
    """Return whether a phase needs a person, either always or because it has lasted too long."""
    patience_s = _PATIENCE_S[state.phase]
    return patience_s is not None and now_s - state.since_s >= patience_s


def _worth_keeping(state: State, seen: State, policy: FailoverPolicy) -> bool:
    """Return whether to commit an observation: it adds something new, or a refresh is due."""
    if state.failing != seen.failing or state.trouble is not seen.trouble:
        return True
    if state.phase is Phase.STEADY:
        return (state.unwell_since_s is None) != (seen.unwell_since_s is None)
    if state.phase not in _WATCHING:
        return False
    due_s = policy.look_gap_max_s / 3
    if max(seen.looked_s - state.looked_s, seen.answered_s - state.answered_s) >= due_s:
        return True
    looked = replace(seen, looked_s=state.looked_s, unwell_since_s=state.unwell_since_s)
    return replace(looked, answered_s=state.answered_s) != state


def _count_flap(state: State, before: State, now_s: float, policy: FailoverPolicy) -> State:
    """Return the state with one more suspicion counted, so that flapping causes a single notice."""
    if state.phase is not Phase.SUSPECT or before.phase is not Phase.STEADY:
        return state
    close = now_s - before.flapped_s <= policy.flap_window_s
    flaps = before.flaps + 1 if close else 1
    state = replace(state, flaps=flaps, flapped_s=now_s)
    if flaps <= policy.flaps_max:
        return state
    reason = f"{state.reason}; suspected {flaps} times, each soon after the last: it flaps"
    told_s = now_s if _flap_is_told(state, before, now_s, policy) else state.told_s
    return replace(state, reason=reason, told_s=told_s)


def _flap_is_told(state: State, before: State, now_s: float, policy: FailoverPolicy) -> bool:
    first = state.flaps == policy.flaps_max + 1
    return first or now_s - before.told_s >= policy.remind_s


def _enter(state: State, event: Event, observation: Observation, policy: FailoverPolicy) -> State:
    """Return the state with the changes that entering its phase makes."""
    now_s = observation.at_s
    match state.phase:
        case Phase.FENCING:
            return _with_loss(state, observation)
        case Phase.PROMOTE_INTENT | Phase.SWITCH_INTENT:
            return _with_intent(state, event, now_s, policy)
        case Phase.VERIFY:
            return _with_writer(state, event, observation)
        case Phase.SHIFT:
            return replace(state, latched=state.writer is not HOME)
        case Phase.FAILED_OVER:
            return replace(state, block_until_s=now_s + policy.block_s, reconciled=False)
        case Phase.REJOINED if event is Event.RECONCILED:
            return replace(state, reconciled=True)
        case Phase.STEADY:
            return _at_home(state, event, observation)
        case Phase.AWAIT_APPROVAL | Phase.BLOCKED | Phase.HALTED:
            return _waiting(state, event, observation, policy)
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


def _waiting(state: State, event: Event, observation: Observation, policy: FailoverPolicy) -> State:
    """Return the state with a person notified of the loss; an approval covers no more than that."""
    if state.phase is Phase.HALTED:
        return _halted(state, event, observation.at_s)
    now_s, loss = observation.at_s, observation.replication
    waits = replace(
        state,
        told_s=now_s,
        denied=state.denied or event is Event.DENIED,
        asked_loss_s=loss.estimate_s if loss else None,
    )
    if event in {Event.DECLINED, Event.UNCALLED}:
        # Nothing moved, so restore the earlier block; a move that is seen from now on is not ours.
        pause_s = max(state.quiet_until_s, now_s + policy.declined_pause_s)
        free_s = state.intent.free_from_s if state.intent else state.block_until_s
        return replace(waits, intent=None, quiet_until_s=pause_s, block_until_s=free_s)
    return waits


def _halted(state: State, event: Event, now_s: float) -> State:
    """Return the halted state; after a move that we do not know of, what holds users is unknown."""
    # Whoever moved the writer may be ourselves, before the table was lost or restored. The epoch in
    # the database cannot rule that out: it follows a move by the time that one heartbeat takes.
    latched = None if event in FOREIGN else state.latched
    return replace(state, told_s=now_s, latched=latched)


def _with_loss(state: State, observation: Observation) -> State:
    """Return the state with the loss that a failover now would cause, for the record."""
    loss = observation.replication
    return replace(
        state,
        loss_estimate_s=loss.estimate_s if loss else None,
        loss_bound_s=loss.bound_s if loss else None,
    )


def _next_epoch(state: State, observation: Observation) -> int:
    """Return an epoch above every epoch seen: in our table, in the database and in the pledge."""
    return max(state.epoch, highest_epoch(observation)) + 1


def _with_writer(state: State, event: Event, observation: Observation) -> State:
    """Return the state with the writer where it was moved to, by us or by someone else."""
    moved = replace(state, moved_s=observation.at_s, anchored=True)
    if event is Event.ADOPTED_AWAY:
        return replace(moved, writer=HOME.other, intent=None, epoch=_next_epoch(state, observation))
    assert state.intent is not None, "moved without an intent"
    return replace(moved, writer=state.intent.target)


def _at_home(state: State, event: Event, observation: Observation) -> State:
    """Return the state with all suspicion cleared; the writer is adopted if a person ordered it."""
    if event is Event.ADOPTED_AT_HOME:
        epoch = _next_epoch(state, observation)
        state = replace(state, writer=HOME, intent=None, moved_s=observation.at_s, epoch=epoch)
    if state.intent is not None and state.intent.target is not state.writer:
        state = replace(state, intent=None)  # abandoned: if the move shows up later, it is not ours
    return replace(
        state,
        bad_since_s=None,
        denied=False,
        latched=state.writer is not HOME,
        anchored=True,
    )


def _with_intent(state: State, event: Event, now_s: float, policy: FailoverPolicy) -> State:
    """Return the state with a new intent: a new epoch, or the next attempt in the same epoch."""
    last = state.intent if event in {Event.RETRY, Event.CANCELLED} else None
    failover = state.phase is Phase.PROMOTE_INTENT
    epoch = state.epoch if last else state.epoch + 1
    # A failover that replaces our own stuck switchover must be marked: Aurora still reports that
    # switchover as a move, and `veto_reason` lets no other intent pass while a move is reported.
    over = state.intent
    instead = (
        failover
        and over is not None
        and over.move is Move.SWITCHOVER
        and over.target is not state.writer
    )
    intent = Intent(
        epoch=epoch,
        attempt=last.attempt + 1 if last else 1,
        move=Move.FAILOVER if failover else Move.SWITCHOVER,
        target=HOME.other if failover else state.writer.other,
        not_after_s=now_s + policy.intent_s,
        free_from_s=last.free_from_s if last else state.block_until_s,
        instead=last.instead if last else instead,
    )
    quiet_until_s = intent.not_after_s + policy.actor_s + policy.skew_s
    # Block from each attempt on and again when it ends: however it ends, a person decides the next.
    block_until_s = now_s + policy.block_s if failover else state.block_until_s
    return replace(
        state,
        epoch=epoch,
        intent=intent,
        quiet_until_s=quiet_until_s,
        block_until_s=block_until_s,
    )


def _to_decision(
    state: State,
    committed: State,
    observation: Observation,
    policy: FailoverPolicy,
    reason: str,
    verdict: Verdict,
) -> Decision:
    """Return the decision: what this state asks for, again on every tick that finds it."""
    intent = state.intent if state.phase in _ASKING else None
    changed = state.revision != committed.revision
    said = state.reason if changed else reason
    block = hard_block(state, observation, policy)
    return Decision(
        state=state,
        changed=changed,
        verdict=verdict,
        reason=said,
        move=intent if intent and observation.at_s <= intent.not_after_s else None,
        terms=_terms(state, observation, policy),
        latch=state.latched if state.anchored else None,
        raise_capacity=needs_capacity(state, observation),
        notice=f"{state.phase}: {said}" if changed and _is_news(state, committed, policy) else None,
        urgent=_is_overdue(state, observation.at_s)
        or _ailment(state, observation.at_s, policy) is not None
        or _flaps(state, policy),
        obstacle=block.obstacle if block else None,
    )


def _is_news(state: State, committed: State, policy: FailoverPolicy) -> bool:
    """Return whether people are notified of a revision."""
    if state.told_s != committed.told_s or state.heeded_s != committed.heeded_s:
        return True
    if {state.phase, committed.phase} == {Phase.STEADY, Phase.SUSPECT} and _flaps(state, policy):
        return False
    return state.phase is not committed.phase or state.intent != committed.intent


def _flaps(state: State, policy: FailoverPolicy) -> bool:
    return state.flaps > policy.flaps_max and state.phase in {Phase.SUSPECT, Phase.STEADY}


def _terms(state: State, observation: Observation, policy: FailoverPolicy) -> LeaseTerms | None:
    """Return the terms that the lease should carry.

    A halt leaves the lease as it was, because it is unknown who writes. The same goes for a table
    that may have been lost.
    """
    if state.phase is Phase.HALTED or not state.anchored:
        return None
    closed = state.phase in _CLOSED or _closes_early(state, observation, policy)
    return LeaseTerms(side=state.writer, epoch=state.epoch, open=not closed)


def _closes_early(state: State, observation: Observation, policy: FailoverPolicy) -> bool:
    """Return whether the lease of a suspected side is closed before the window has passed.

    Only what would be fenced without a question at its end, and only while everything there is bad:
    a heartbeat or a probe needs no lease, so a side that lives is seen to, and is let write again.
    """
    if state.phase is not Phase.SUSPECT or state.bad_since_s is None or not state.unanimous:
        return False
    left_s = state.bad_since_s + needed_s(state, policy) - observation.at_s
    asks = approval_reason(state, observation, policy) or hard_block(state, observation, policy)
    quiet = observation.at_s >= state.quiet_until_s
    return left_s <= policy.close_early_s and quiet and asks is None
