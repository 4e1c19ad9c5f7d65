"""I15: a move by hand is left alone, and no halt blames a move by hand that never happened."""

from collections.abc import Iterator

from otherside.failover.decision.observation import Order
from otherside.failover.decision.state import Phase
from otherside.failover.decision.transitions import Event
from otherside.sim.faults import Fault
from otherside.sim.history import History
from otherside.sim.world_state import BY_HAND

SEEN_S = 150.0
"""How long a move by hand may go unnoticed: one old description, and two ticks."""


def check(history: History) -> Iterator[str]:
    """Yield each call after a move by hand without an order, and each halt without a cause."""
    by_hand = [
        call.at_s
        for call in history.world_state.calls
        if call.operation == BY_HAND and call.accepted
    ]
    taken_over = [
        item.at_s
        for item in history.log
        if item.observation.command is not None and item.observation.command.order is Order.ADOPT
    ]
    for _, entry in history.entries(Phase.HALTED):
        # Adopting too early takes over a move that is still under way, and the halt reports that.
        mistaken = any(at_s <= entry.at_s for at_s in taken_over)
        detached = any(s.fault is Fault.STANDBY_DETACHED for s in history.world_state.windows)
        lost = any(at_s <= entry.at_s for at_s in history.losses)
        caused = {
            Event.EXTERNAL_MOVE: by_hand or mistaken or detached or lost,
            Event.TABLE_LOST: lost,
            Event.STANDBY_DETACHED: detached,
        }
        event = next((event for event in caused if event == entry.state.entered_by), None)
        if event is not None and not caused[event]:
            yield f"revision {entry.state.revision}: {event}, and nobody did anything like it"
    moved = [move.at_s for move in history.world_state.moves if move.by_hand]
    if not moved:
        return
    halted = any(entry.at_s >= moved[0] for _, entry in history.entries(Phase.HALTED))
    if history.healed and not halted and not _is_known(history, moved[0]):
        yield "the writer was moved by hand, and nobody noticed"
    allowed = [
        item.at_s
        for item in history.log
        if item.observation.command is not None
        and item.observation.command.order in {Order.ADOPT, Order.RESUME, Order.SWITCHOVER}
    ]
    for call in history.world_state.calls:
        late = call.at_s > moved[0] + SEEN_S
        asked = any(moved[0] < at_s <= call.at_s for at_s in allowed)
        if call.operation != BY_HAND and late and not asked:
            yield f"{call.operation} was called on top of a move by hand"


def _is_known(history: History, moved_s: float) -> bool:
    """Return whether an attempt of ours was under way too, so that whose move it was is unclear."""
    asking = {
        *(Phase.PROMOTE_INTENT, Phase.PROMOTING, Phase.HALTED),
        *(Phase.SWITCH_INTENT, Phase.SWITCHING),
    }
    before = [item.state.phase for item in history.log if item.at_s <= moved_s + SEEN_S]
    return any(phase in asking for phase in before)
