"""I1: no epoch moves the writer twice, and every call was committed and is in time."""

from collections.abc import Iterator

from otherside.sim.history import History
from otherside.sim.world_state import BY_HAND

CALL_S = 15.0
"""The longest that a call takes in the simulation, after the clock was read for it."""


def check(history: History) -> Iterator[str]:
    """Yield each call without an intent, each late call, and each epoch that moved twice."""
    committed = {
        state.intent.operation: state.intent for state in history.states if state.intent is not None
    }
    for call in history.world_state.calls:
        if call.operation == BY_HAND:
            continue
        intent = committed.get(call.operation)
        if intent is None or (intent.move, intent.target) != (call.kind, call.target):
            yield f"{call.operation}: a {call.kind} to {call.target} was never committed"
            continue
        late_s = call.at_s - intent.not_after_s
        if late_s > CALL_S + history.policy.skew_s:
            yield f"{call.operation} was called {late_s:.0f} s after it had expired"
    moved = [move for move in history.world_state.moves if not move.by_hand]
    accepted = [
        call for call in history.world_state.calls if call.accepted and call.operation != BY_HAND
    ]
    epochs = {call.operation.split(".")[0] for call in accepted}
    # If someone moves the writer back by hand, unseen, the same epoch may ask for the move again.
    by_hand = len(history.world_state.moves) - len(moved)
    if len(moved) > len(epochs) + by_hand:
        yield f"{len(moved)} moves in {len(epochs)} epochs"
    operations = [call.operation for call in history.world_state.calls if call.operation != BY_HAND]
    if len(operations) != len(set(operations)):
        yield "one attempt was carried out twice"
