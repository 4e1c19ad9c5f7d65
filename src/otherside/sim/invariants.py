"""What must hold in every run, read from the history and not from the core's own opinion."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from otherside.core.decide import Policy, decide
from otherside.core.facts import Move, Order
from otherside.core.state import Phase, State, first
from otherside.core.topology import FailoverMode, Side
from otherside.sim.truth import Truth
from otherside.sim.world import Committed, Hostility, SimulatedWorld


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a run left behind."""

    log: tuple[Committed, ...]
    truth: Truth
    world: SimulatedWorld
    policy: Policy
    hostility: Hostility

    @property
    def states(self) -> list[State]:
        """Every revision, the one before the first included."""
        return [first(0.0), *(one.state for one in self.log)]


CALL_S = 15.0
"""Longest that one call takes in the simulation, once it has been made."""
VETO_LAG_S = 10.0
"""How soon after a write the evidence shows it."""

Invariant = Callable[[History], Iterator[str]]


def one_chain_of_revisions(history: History) -> Iterator[str]:
    """I2: each revision follows from the one before it and from what was seen."""
    state = first(0.0)
    for one in history.log:
        again = decide(state, one.facts, history.policy).state
        if again != one.state:
            yield f"revision {one.state.revision} does not follow from {state.revision}"
        state = one.state


def one_effective_move_an_epoch(history: History) -> Iterator[str]:
    """I1: no epoch moves the writer twice, and no call is made that was not committed."""
    committed = {
        (state.intent.operation, state.intent.move): state.intent
        for state in history.states
        if state.intent is not None
    }
    epochs: list[str] = []
    for call in history.truth.calls:
        if call.operation == "by-hand":
            continue
        if (call.operation, call.kind) not in committed:
            yield f"{call.operation} was called and never committed"
        if call.accepted:
            epochs.append(call.operation)
    finished = [one for one in history.truth.moves if not one.by_hand]
    if len(finished) > len({one.split(".")[0] for one in epochs}):
        yield f"{len(finished)} moves in {len(epochs)} epochs"


def no_call_after_its_intent_expired(history: History) -> Iterator[str]:
    """I1, I5: a late actor finds its intent stale, but for the time of the call itself."""
    deadlines = {
        state.intent.operation: state.intent.not_after_s
        for state in history.states
        if state.intent is not None
    }
    for call in history.truth.calls:
        late_s = call.at_s - deadlines.get(call.operation, call.at_s)
        if late_s > CALL_S:
            yield f"{call.operation} was called {late_s:.0f} s after it had expired"


def data_is_lost_only_after_the_whole_window(history: History) -> Iterator[str]:
    """I3, I13: a failover was confirmed for the whole window, or approved by a person."""
    before = first(0.0)
    for one in history.log:
        state = one.state
        if state.phase is Phase.FENCING and before.phase is not Phase.FENCING:
            command = one.facts.command
            approved = (
                command is not None
                and command.order is Order.APPROVE
                and command.revision == before.revision
            )
            held_s = one.at_s - (state.bad_since_s or one.at_s)
            if not approved and held_s < history.policy.confirm_s - 1:
                yield f"revision {state.revision}: fenced after {held_s:.0f} s without approval"
            if not approved and _lived(history, one.facts.at_s):
                yield f"revision {state.revision}: a writer that lived was left unasked"
        before = state


def _lived(history: History, at_s: float) -> bool:
    """Return whether users' writes were acknowledged within the window before a moment."""
    since_s = at_s - history.policy.confirm_s + VETO_LAG_S
    return any(since_s <= row.at_s < at_s - 1 for row in history.truth.rows)


def loss_is_within_what_was_said(history: History) -> Iterator[str]:
    """I4: an automatic failover loses no more than its own bound, which is within the objective."""
    said_s, approved, before = 0.0, False, first(0.0)
    for one in history.log:
        if one.state.phase is Phase.FENCING and before.phase is not Phase.FENCING:
            approved = before.phase is Phase.AWAIT_APPROVAL
            said_s = one.facts.loss_estimate_s or 0.0
            asked = history.policy.mode is not FailoverMode.AUTO
            if not approved and (asked or said_s > history.policy.loss_auto_s):
                yield f"revision {one.state.revision}: nobody was asked about {said_s:.1f} s"
        before = one.state
    for move in history.truth.moves:
        if (
            move.kind is Move.FAILOVER
            and not move.by_hand
            and not approved
            and move.lost > said_s + 2
        ):
            yield f"{move.lost} rows were lost where {said_s:.1f} s were said"


def users_are_held_only_where_a_write_was_verified(history: History) -> Iterator[str]:
    """I6: DNS is latched to a side after a write of that epoch was read back there."""
    before = first(0.0)
    for one in history.log:
        state = one.state
        if state.latched and not before.latched:
            proven = [
                at_s
                for at_s, epoch, side in history.world.verified
                if epoch == state.epoch and side is Side.STANDBY and at_s <= one.at_s
            ]
            if not proven:
                yield f"revision {state.revision} holds users where no write was verified"
        before = state


def a_switchover_loses_nothing(history: History) -> Iterator[str]:
    """I8: no row is lost by a switchover, and none turns into a failover."""
    for move in history.truth.moves:
        if move.kind is Move.SWITCHOVER and move.lost:
            yield f"a switchover lost {move.lost} rows"
    for state in history.states:
        switching = state.phase in {Phase.SWITCH_INTENT, Phase.SWITCHING}
        if switching and state.intent and state.intent.move is not Move.SWITCHOVER:
            yield f"revision {state.revision}: a switchover became {state.intent.move}"


def automatic_moves_are_far_apart(history: History) -> Iterator[str]:
    """I9: no second automatic failover within the hour, and none goes home."""
    automatic = [
        move for move in history.truth.moves if move.kind is Move.FAILOVER and not move.by_hand
    ]
    for earlier, later in pairwise(automatic):
        if later.at_s - earlier.at_s < history.policy.block_s:
            yield f"two failovers within {later.at_s - earlier.at_s:.0f} s"
    if any(move.target is Side.PRIMARY for move in automatic):
        yield "a failover went home by itself"


def observing_moves_nothing(history: History) -> Iterator[str]:
    """I10: in observe mode and in a freeze nothing is called."""
    calls = [one for one in history.truth.calls if one.operation != "by-hand"]
    if history.policy.mode is FailoverMode.OBSERVE and calls:
        yield f"{len(calls)} calls while observing"
    for call in calls:
        # An intent that was committed before the window may still be carried out.
        if any(a + history.policy.intent_s < call.at_s < b for a, b in history.policy.freezes):
            yield f"{call.operation} was called in a freeze"


def never_two_writers(history: History) -> Iterator[str]:
    """I7: no side acknowledges a write once we have made the other the writer.

    A move by hand waits for no lease; whoever makes one is told to stop the application first.
    """
    for move in (one for one in history.truth.moves if not one.by_hand):
        late = [
            row
            for row in history.truth.rows
            if row.side is move.target.other and row.at_s > move.at_s
        ]
        back = [one.at_s for one in history.truth.moves if one.at_s > move.at_s]
        if any(row.at_s < min(back, default=float("inf")) for row in late):
            yield f"{move.target.other} acknowledged writes after the move at {move.at_s:.0f}"


def a_halt_has_paged(history: History) -> Iterator[str]:
    """L3: whoever stands still has told somebody, unless it was killed before it could."""
    halted = [one for one in history.states if one.phase is Phase.HALTED]
    hostile = history.hostility
    quiet = hostile.kill + hostile.fail + hostile.lose + hostile.freeze == 0
    if halted and quiet and not history.world.pages:
        yield "halted, and nobody was paged"


INVARIANTS: tuple[Invariant, ...] = (
    one_chain_of_revisions,
    one_effective_move_an_epoch,
    no_call_after_its_intent_expired,
    data_is_lost_only_after_the_whole_window,
    loss_is_within_what_was_said,
    users_are_held_only_where_a_write_was_verified,
    a_switchover_loses_nothing,
    automatic_moves_are_far_apart,
    observing_moves_nothing,
    never_two_writers,
    a_halt_has_paged,
)
