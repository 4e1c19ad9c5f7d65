"""I8: a switchover loses no row, and never becomes a failover."""

from collections.abc import Iterator

from otherside.failover.decision.observation import Move
from otherside.failover.decision.state import Phase
from otherside.sim.history import History
from otherside.sim.world_state import BY_HAND


def check(history: History) -> Iterator[str]:
    """Yield each loss by a switchover, and each failover that was called without fencing."""
    for move in history.world_state.moves:
        if move.kind is Move.SWITCHOVER and move.lost_s:
            yield f"a switchover lost {move.lost_s:.1f} s"
    fenced = {state.epoch + 1 for state in history.states if state.phase is Phase.FENCING}
    for call in history.world_state.calls:
        if call.operation == BY_HAND or call.kind is Move.SWITCHOVER:
            continue
        if int(call.operation.split(".")[0]) not in fenced:
            yield f"{call.operation}: a failover was called where none had been fenced for"
