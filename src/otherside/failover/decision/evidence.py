"""What an observation means in each phase: one small function per phase returns an event.

Nothing here changes anything. `external_move` takes precedence over all of them: someone else moves
the writer, the state table was lost, or a member has left the global cluster.
"""

from collections.abc import Callable, Sequence

from otherside.failover.decision.gates import (
    HOME,
    approval,
    approval_reason,
    covers,
    hard_block,
    loss_of,
    needed_s,
    unfit_reason,
    valid_order,
)
from otherside.failover.decision.observation import (
    ACCEPTED,
    Attempt,
    DatabaseView,
    Move,
    Observation,
    Order,
    Progress,
    Reading,
)
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Intent, Phase, State, Trouble
from otherside.failover.decision.transitions import Event
from otherside.failover.decision.verdict import DEADLY, Evidence

Read = tuple[Event, str]

MOVING = frozenset(
    {Phase.PROMOTE_INTENT, Phase.PROMOTING, Phase.SWITCH_INTENT, Phase.SWITCHING, Phase.VERIFY}
)
"""Phases in which the writer may be moving because we asked for it."""
_PAIRED = frozenset(
    {
        *(Phase.STEADY, Phase.SUSPECT, Phase.AWAIT_APPROVAL, Phase.BLOCKED, Phase.FENCING),
        *(Phase.FAILBACK_READY, Phase.SWITCH_PRECHECK),
    }
)
"""Phases that rely on a follower: if it is detached, someone else did it."""
_PENDING = frozenset({Phase.SUSPECT, Phase.AWAIT_APPROVAL, Phase.BLOCKED, Phase.FENCING})
"""Phases that may follow an abandoned switchover."""


def read(
    state: State, observation: Observation, evidence: Evidence, policy: FailoverPolicy
) -> Read:
    """Return what an observation means in the current phase, and the reason in one sentence."""
    found = external_move(state, observation, policy) or _stopped(state, observation, policy)
    if found is None and not state.anchored:
        found = _first_day(observation)
    if found is None and state.phase in _PENDING:
        found = _arrived_after_all(state, observation, evidence)
    return found or _EVENT_OF[state.phase](state, observation, evidence, policy)


def is_anchored(observation: Observation) -> bool:
    """Return whether the database and the pledge have said which epoch they know, and who writes.

    The table alone cannot prove that nothing has happened yet: an empty one may have been lost.
    """
    known = (observation.database, observation.epoch_seen, observation.pledge_epoch)
    return all(part is not None for part in known)


def highest_epoch(observation: Observation) -> int:
    """Return the highest epoch remembered outside our table.

    The database's row does not know an epoch whose every attempt was cancelled; the pledge does.
    """
    return max(observation.epoch_seen or 0, observation.pledge_epoch or 0)


def _first_day(observation: Observation) -> Read | None:
    if is_anchored(observation):
        return None
    missing = (
        "the pledge can be read"
        if observation.database is not None and observation.epoch_seen is not None
        else "the database reports its writer and its epoch"
    )
    return Event.NOTHING, f"first run: waiting until {missing}"


def _stopped(state: State, observation: Observation, policy: FailoverPolicy) -> Read | None:
    if state.phase is Phase.HALTED:
        return None
    order = valid_order(Order.HALT, state, observation, policy)
    return (Event.STOPPED, f"{order.author} halted it in {state.phase}") if order else None


def external_move(state: State, observation: Observation, policy: FailoverPolicy) -> Read | None:
    """Return one of `FOREIGN` if someone else did it to the writer, the standby or our table.

    For a while after a move of our own, a description may still be from before it.
    """
    if state.phase is Phase.HALTED:
        return None
    lost = _lost_table(state, observation)
    database = observation.database
    if lost is not None or database is None:
        return lost
    settled = observation.at_s - state.moved_s > policy.settle_s
    ours = state.phase in MOVING or not settled or _is_pending(state)
    # Aurora may report a move to the writer's present side for as long as replicas catch up.
    arrived = database.move is not None and database.move.target is database.writer is state.writer
    if database.move is not None and not arrived and not (ours and _is_intended(state, database)):
        return (
            Event.EXTERNAL_MOVE,
            f"the writer is being moved from outside to {database.move.target}",
        )
    return _displaced(state, database, settled=settled)


def _lost_table(state: State, observation: Observation) -> Read | None:
    """Return an event if our table is behind the database, or empty while the writer is away.

    Only an epoch that somebody else remembers proves that a table was lost: one that never held an
    item looks the same on the first day, after a move by hand.
    """
    if (epoch := highest_epoch(observation)) > state.epoch:
        where = "database" if epoch == observation.epoch_seen else "pledge"
        return Event.TABLE_LOST, (
            f"the {where} remembers epoch {epoch}, our table {state.epoch}: "
            "the table was lost or restored, or somebody else decides"
        )
    database = observation.database
    strayed = database is not None and database.writer is not HOME and database.move is None
    if not state.anchored and strayed and database is not None and database.writer is not None:
        return Event.EXTERNAL_MOVE, (
            f"our table is empty and the writer is on {database.writer}: the table was lost, "
            "or somebody has moved the writer"
        )
    return None


def _displaced(state: State, database: DatabaseView, *, settled: bool) -> Read | None:
    """Return an event if the members of the database are not as we left them."""
    if database.writer is None:
        if state.phase in MOVING or not settled:
            return None
        return Event.EXTERNAL_MOVE, database.alien or "the writer is nobody's that we know"
    # Right after a move, a description may be from before it and still name the other side.
    expected = {state.writer} if settled else {state.writer, state.writer.other}
    if state.intent is not None and (state.phase in MOVING or _is_pending(state)):
        expected.add(state.intent.target)
    if database.writer not in expected:
        return Event.EXTERNAL_MOVE, f"the writer was moved from outside to {database.writer}"
    if not database.follower_is_member and settled and state.phase in _PAIRED:
        return Event.STANDBY_DETACHED, (
            f"somebody has taken the {state.writer.other} out of the global database"
        )
    return None


def _is_pending(state: State) -> bool:
    """Return whether an intent that we abandoned may still take effect."""
    intent = state.intent
    return state.phase in _PENDING and intent is not None and intent.target is not state.writer


def _is_intended(state: State, database: DatabaseView) -> bool:
    """Return whether a move is the one that we asked for, or one that a person took over."""
    intent, move = state.intent, database.move
    if intent is None or move is None:
        return move is not None
    kinds = {intent.move, Move.SWITCHOVER} if intent.instead else {intent.move}
    return move.kind in kinds and move.target is intent.target


def _arrived_after_all(state: State, observation: Observation, evidence: Evidence) -> Read | None:
    """Return an event if an abandoned switchover has arrived after all, or is still going on."""
    intent, database = state.intent, observation.database
    if not _is_pending(state) or intent is None or database is None:
        return None
    if database.writer is intent.target:
        return Event.MOVED, f"the writer is on {intent.target} after all"
    lives = evidence.writes_live or state.bad_since_s is None
    if database.move is not None and lives:
        return Event.MOVING, f"{intent.operation}: the writer's side lives, and it is moving"
    return None


def _read_steady(
    state: State, observation: Observation, _evidence: Evidence, policy: FailoverPolicy
) -> Read:
    if state.bad_since_s is not None and state.writer is HOME:
        return Event.SUSPECTED, f"{state.verdict}: waiting for the confirmation window to pass"
    order = valid_order(Order.SWITCHOVER, state, observation, policy)
    if order is not None:
        return Event.ORDERED, f"{order.author} ordered a switchover"
    return Event.NOTHING, f"the verdict is {state.verdict}"


def _read_suspect(
    state: State, observation: Observation, evidence: Evidence, policy: FailoverPolicy
) -> Read:
    if state.bad_since_s is None or evidence.writes_live:
        return Event.CLEARED, f"cleared: {state.verdict}"
    window_s, held_s = needed_s(state, policy), observation.at_s - state.bad_since_s
    if held_s < window_s:
        if observation.at_s - state.since_s > policy.suspect_max_s:
            return Event.EXPIRED, "suspected for too long without a confirmation"
        return Event.NOTHING, (
            f"confirming {state.verdict}: {evidence.bad} of {len(evidence.main)} signals bad for "
            f"{held_s:.0f} s of {window_s:.0f} s; {_lag(observation)}"
        )
    if state.verdict not in DEADLY:
        return (
            Event.NOTHING,
            f"confirmed for {held_s:.0f} s, but too few signals could be read just now",
        )
    return _guard(state, observation, policy, approved=False)


def _lag(observation: Observation) -> str:
    replication = observation.replication
    return f"lag {replication.lag_max_s:.1f} s" if replication else "lag unknown"


def _guard(
    state: State, observation: Observation, policy: FailoverPolicy, *, approved: bool
) -> Read:
    """Return whether a confirmed disaster may be answered by moving the writer, and why not."""
    against = hard_block(state, observation, policy)
    if against is not None:
        return Event.REFUSED, against.reason
    if observation.at_s < state.quiet_until_s:
        return (
            Event.REFUSED,
            f"{state.reason}; no other question is asked until the last attempt can no longer act",
        )
    asked = approval_reason(state, observation, policy)
    if asked is not None and not approved:
        return Event.ASKING, asked
    return Event.ALLOWED, f"{state.verdict} confirmed: the writer moves to {HOME.other}"


def _read_await_approval(
    state: State, observation: Observation, evidence: Evidence, policy: FailoverPolicy
) -> Read:
    if state.bad_since_s is None or evidence.writes_live:
        return Event.CLEARED, f"cleared while waiting: {state.verdict}"
    denied = valid_order(Order.DENY, state, observation, policy)
    if denied is not None:
        return Event.DENIED, f"{denied.author} denied it"
    if state.verdict not in DEADLY:
        return Event.NOTHING, state.reason
    yes = approval(state, observation, policy)
    if yes is not None:
        if covers(yes, state, observation, policy):
            return _guard(state, observation, policy, approved=True)
        return (
            Event.ASKING,
            f"{yes.author} approved less than what would be lost now; {loss_of(observation)}",
        )
    if observation.at_s - state.bad_since_s >= needed_s(state, policy):
        event, reason = _guard(state, observation, policy, approved=False)
        if event is Event.ALLOWED:
            return event, reason  # the obstacle is gone, so no approval is needed any more
    return Event.NOTHING, state.reason


def _read_blocked(
    state: State, observation: Observation, evidence: Evidence, policy: FailoverPolicy
) -> Read:
    if evidence.writes_live or (state.bad_since_s is None and not state.denied):
        return Event.CLEARED, f"cleared while blocked: {state.verdict}"
    held_s = 0.0 if state.bad_since_s is None else observation.at_s - state.bad_since_s
    if state.verdict not in DEADLY or held_s < needed_s(state, policy):
        return Event.NOTHING, state.reason
    yes = approval(state, observation, policy)
    approved = yes is not None and covers(yes, state, observation, policy)
    if (state.denied and not approved) or observation.at_s < state.quiet_until_s:
        return Event.NOTHING, state.reason
    return _guard(state, observation, policy, approved=approved)


def _read_fencing(
    state: State, observation: Observation, evidence: Evidence, policy: FailoverPolicy
) -> Read:
    if evidence.writes_live or state.bad_since_s is None:
        return Event.CLEARED, f"cleared while fencing: {state.verdict}"
    denied = valid_order(Order.DENY, state, observation, policy)
    if denied is not None:
        return Event.DENIED, f"{denied.author} denied it"
    against = hard_block(state, observation, policy) if observation.database is not None else None
    # A missing description is no reason to stop here: closing the lease needs no control plane, and
    # `veto_reason` checks every hard block again before Aurora is called.
    if against is not None:
        return Event.REFUSED, against.reason
    if state.fenced_s is None:
        why = f": {'; '.join(state.failing)}" if state.failing else ""
        if observation.at_s - state.since_s > policy.fence_max_s:
            return Event.TIMED_OUT, f"the old writer's lease could not be closed{why}"
        return Event.NOTHING, f"fencing: closing the old writer's lease{why}"
    left_s = state.fenced_s + policy.lease_s + policy.skew_s - observation.at_s
    if state.verdict not in DEADLY:
        return Event.NOTHING, "fencing: too few signals could be read just now"
    if observation.at_s - state.bad_since_s < needed_s(state, policy):
        return Event.NOTHING, f"fencing: {state.verdict} needs a longer window"
    if left_s > 0:
        return Event.NOTHING, f"fencing: the old writer's lease expires in {left_s:.0f} s"
    return Event.FENCED, "the old writer's lease has expired"


def _read_intent(
    state: State, observation: Observation, evidence: Evidence, policy: FailoverPolicy
) -> Read:
    intent, database = state.intent, observation.database
    assert intent is not None, "an intent phase without an intent"
    if database is not None and database.writer is intent.target:
        return Event.MOVED, f"the writer is on {intent.target}"
    if database is not None and database.move is not None and database.move.kind is intent.move:
        return Event.MOVING, f"{intent.operation}: Aurora is moving the writer"
    mine = _attempt(intent, observation)
    if observation.at_s <= intent.not_after_s + policy.skew_s:
        return Event.NOTHING, f"{intent.operation}: {_became(mine)}"
    if evidence.writes_live and state.phase is Phase.PROMOTE_INTENT:
        # Wait until even the oldest possible description must show the last possible call.
        if observation.at_s < state.quiet_until_s + policy.settle_s:
            return Event.NOTHING, f"{intent.operation}: a write works; letting it expire"
        return Event.CLEARED, f"{intent.operation} expired and a write works"
    if state.phase is Phase.PROMOTE_INTENT and state.verdict not in DEADLY:
        return (
            Event.NOTHING,
            f"{intent.operation} had no effect, and too few signals could be read just now",
        )
    if state.phase is Phase.SWITCH_INTENT and state.writer is HOME and state.verdict in DEADLY:
        return Event.SUSPECTED, f"{state.verdict} before the switchover began"
    perhaps = mine is not None and mine.called and not mine.refused
    if perhaps and observation.at_s <= intent.not_after_s + policy.settle_s:
        # The move may be under way while the description is from before it.
        return Event.NOTHING, f"{intent.operation}: {_became(mine)}; waiting until it is seen"
    return _again(state, intent, observation, policy)


def _attempt(intent: Intent, observation: Observation) -> Attempt | None:
    found = [
        attempt for attempt in observation.attempts or () if attempt.operation == intent.operation
    ]
    return found[0] if found else None


def _became(attempt: Attempt | None) -> str:
    """Return what happened to an attempt, for people."""
    if attempt is None or not attempt.called:
        return "nobody has asked Aurora yet"
    return f"Aurora was asked: {attempt.answer or 'no answer'}"


def _again(state: State, intent: Intent, observation: Observation, policy: FailoverPolicy) -> Read:
    """Return whether to retry an intent that had no effect. Only calls count, not intents."""
    attempts = observation.attempts
    if attempts is None:
        return Event.NOTHING, f"{intent.operation}: it is unknown whether Aurora was called"
    calls = [attempt for attempt in attempts if attempt.called]
    answers = ", ".join(call.answer or "no answer" for call in calls)
    away = Event.PRECHECK_FAILED_AT_HOME if state.writer is HOME else Event.PRECHECK_FAILED_AWAY
    failover, harmless = intent.move is Move.FAILOVER, _are_harmless(calls, observation)
    if len(calls) >= policy.attempts_max:
        reason = f"Aurora was asked {len(calls)} times and has not moved: {answers}"
        if not harmless:
            return Event.EXHAUSTED, reason
        return (Event.DECLINED if failover else away), reason
    last = max((call.number for call in calls), default=0)
    if intent.attempt - last >= policy.uncalled_max:
        reason = f"nobody asked Aurora {policy.uncalled_max} times in a row: no actuator acts"
        if not harmless:
            return Event.EXHAUSTED, f"{reason}; before that: {answers}"
        return (Event.UNCALLED if failover else away), reason
    said = f" ({answers})" if answers else ", and Aurora was not asked"
    return Event.RETRY, f"{intent.operation} had no effect{said}; calling again"


def _are_harmless(calls: Sequence[Attempt], observation: Observation) -> bool:
    """Return whether none of the calls can have moved the writer.

    Each call was made so long ago that Aurora would show its move by now. So a call without an
    answer did nothing if Aurora can be read; one that was accepted and shows nothing is a riddle.
    """
    if all(call.refused for call in calls):
        return True
    return observation.database is not None and all(call.answer != ACCEPTED for call in calls)


def _read_moving(
    state: State, observation: Observation, _evidence: Evidence, policy: FailoverPolicy
) -> Read:
    intent, database = state.intent, observation.database
    assert intent is not None, "a moving phase without an intent"
    if database is not None and database.writer is intent.target:
        return Event.MOVED, f"the writer is on {intent.target}"
    lasted_s = observation.at_s - state.since_s
    stuck = _stands_still(state, observation, policy) if state.phase is Phase.SWITCHING else None
    if stuck is not None:
        return Event.ASKING, stuck
    longest_s = policy.switch_max_s if state.phase is Phase.SWITCHING else policy.promote_max_s
    if lasted_s > longest_s:
        return Event.TIMED_OUT, f"{intent.operation} has not finished in {longest_s:.0f} s"
    if database is None or (database.move and database.move.progress is Progress.MOVING):
        return Event.NOTHING, f"{intent.operation}: moving"
    if database.move is not None:
        return Event.NOTHING, f"{intent.operation}: being cancelled"
    if lasted_s <= policy.settle_s:
        return (
            Event.NOTHING,
            f"{intent.operation}: no move is visible yet; Aurora's description may be stale",
        )
    # A move that was seen must have been asked for, even if the call's result was not recorded.
    begun = max(sum(attempt.called for attempt in observation.attempts or ()), 1)
    if begun >= policy.attempts_max:
        return Event.EXHAUSTED, f"Aurora cancelled {begun} attempts"
    return Event.CANCELLED, f"Aurora cancelled {intent.operation}"


def _stands_still(state: State, observation: Observation, policy: FailoverPolicy) -> str | None:
    """Return the question to ask if a switchover waits for a dead Region: only a failover helps."""
    if state.writer is not HOME or state.bad_since_s is None or state.verdict not in DEADLY:
        return None
    held_s = observation.at_s - state.bad_since_s
    if held_s < needed_s(state, policy) or observation.at_s - state.since_s < policy.switch_stuck_s:
        return None
    return f"the switchover stands still, and the Region it leaves is dead: {loss_of(observation)}"


def _read_verify(
    state: State, observation: Observation, _evidence: Evidence, policy: FailoverPolicy
) -> Read:
    if observation.write_verified:
        return Event.VERIFIED, f"a write was read back on {state.writer}"
    order = valid_order(Order.PROCEED, state, observation, policy)
    if order is not None:
        return Event.VERIFIED, f"{order.author} proceeded without a verified write"
    return Event.NOTHING, f"verifying a write on {state.writer}"


def _read_shift(
    state: State, observation: Observation, _evidence: Evidence, policy: FailoverPolicy
) -> Read:
    order = valid_order(Order.PROCEED, state, observation, policy)
    if observation.users_on is not state.writer and order is None:
        return Event.NOTHING, f"waiting until DNS answers with {state.writer}"
    said = (
        f"users are on {state.writer}" if order is None else f"{order.author} proceeded without DNS"
    )
    if state.writer is HOME:
        return Event.SHIFTED_HOME, said
    lossy = state.intent is None or state.intent.move is Move.FAILOVER
    return Event.SHIFTED_BY_FAILOVER if lossy else Event.SHIFTED_AWAY, said


TROUBLES = {
    Trouble.NO_WRITES: (
        "no write works on the side that serves everyone, and nothing is moved by itself: mend it "
        "there, or move the writer by hand and adopt it"
    ),
    Trouble.DRIFTING: (
        "DNS leads users to the side that was given up: see that the latch is published and "
        "that Route 53's checks follow it"
    ),
}


def trouble_of(state: State, observation: Observation, evidence: Evidence) -> Trouble:
    """Return what is wrong while the standby serves everyone; what is unknown is no trouble.

    `NO_WRITES` needs two write paths that fail independently to be bad, and none to be good.
    """
    ways = (evidence.standby_canary, evidence.witness_canary, evidence.write_pulse)
    if not evidence.writes_live and ways.count(Reading.BAD) > 1:
        return Trouble.NO_WRITES
    if observation.users_on not in {None, state.writer}:
        return Trouble.DRIFTING
    return Trouble.NONE


def _read_failed_over(
    state: State, observation: Observation, _evidence: Evidence, _policy: FailoverPolicy
) -> Read:
    database = observation.database
    if database is not None and database.writer is state.writer and database.resynced:
        return Event.RESYNCED, f"{HOME} follows {state.writer} again"
    return Event.NOTHING, f"one Region alone: waiting until {HOME} follows again"


def _read_rejoined(
    state: State, observation: Observation, _evidence: Evidence, policy: FailoverPolicy
) -> Read:
    if not state.reconciled:
        order = valid_order(Order.SIGN_RECONCILIATION, state, observation, policy)
        if order is not None:
            return Event.RECONCILED, f"{order.author} signed the reconciliation"
        return Event.NOTHING, "waiting for a person to sign the reconciliation of lost writes"
    if observation.at_s - state.since_s < policy.stable_s:
        return Event.NOTHING, "waiting until both sides have been stable for long enough"
    return Event.STABLE, "ready for failback, when ordered"


def _read_failback_ready(
    state: State, observation: Observation, _evidence: Evidence, policy: FailoverPolicy
) -> Read:
    order = valid_order(Order.SWITCHOVER, state, observation, policy)
    if order is not None:
        return Event.ORDERED, f"{order.author} ordered a failback"
    return Event.NOTHING, "ready for failback, when ordered"


def _read_precheck(
    state: State, observation: Observation, _evidence: Evidence, policy: FailoverPolicy
) -> Read:
    if state.writer is HOME and state.bad_since_s is not None:
        return Event.SUSPECTED, f"{state.verdict} before the switchover began"
    given_up = Event.PRECHECK_FAILED_AT_HOME if state.writer is HOME else Event.PRECHECK_FAILED_AWAY
    abort = valid_order(Order.ABORT, state, observation, policy)
    if abort is not None:
        return given_up, f"{abort.author} called the switchover off"
    waited_s = observation.at_s - state.since_s
    block = hard_block(state, observation, policy)
    against = block.reason if block else unfit_reason(state, observation, policy)
    if against is None and waited_s >= policy.precheck_s:
        return (
            Event.PRECHECK_OK,
            f"precheck passed: the writer moves to {state.writer.other} without data loss",
        )
    if waited_s > policy.precheck_max_s:
        return given_up, f"not fit for a switchover: {against}"
    return Event.NOTHING, f"precheck: {against or 'no obstacle so far'}"


def _read_halted(
    state: State, observation: Observation, _evidence: Evidence, policy: FailoverPolicy
) -> Read:
    database = observation.database
    resume = valid_order(Order.RESUME, state, observation, policy)
    adopt = valid_order(Order.ADOPT, state, observation, policy)
    order = resume or adopt
    if database is None or database.move is not None or order is None:
        return Event.NOTHING, state.reason
    # The description may be old, and may not show the last call yet.
    settled_s = max(state.quiet_until_s, state.since_s) + policy.settle_s
    if observation.at_s < settled_s:
        return (
            Event.NOTHING,
            f"{state.reason}; an order counts in {settled_s - observation.at_s:.0f} s",
        )
    known = highest_epoch(observation) <= state.epoch
    if resume and known and database.writer is state.writer is HOME:
        return Event.RESUMED, f"{order.author} resumed"
    if adopt and database.writer is not None:
        event = Event.ADOPTED_AT_HOME if database.writer is HOME else Event.ADOPTED_AWAY
        return event, f"{order.author} adopted the writer on {database.writer}"
    return Event.NOTHING, state.reason


_EVENT_OF: dict[Phase, Callable[[State, Observation, Evidence, FailoverPolicy], Read]] = {
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
