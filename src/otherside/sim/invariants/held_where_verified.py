"""I6: users are held only on a side where a write of that epoch was read back."""

from collections.abc import Iterator

from otherside.core.topology import Side
from otherside.failover.decision.observation import Order
from otherside.failover.decision.state import first
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield each revision that holds users on a side without such a proof."""
    before = first(0.0)
    for item in history.log:
        state = item.state
        if state.latched and not before.latched:
            proven = any(
                at_s <= item.at_s and (epoch, side) == (state.epoch, Side.STANDBY)
                for at_s, epoch, side in history.cloud.verified
            )
            command = item.observation.command
            pushed = command is not None and command.order is Order.PROCEED
            if not proven and not pushed:
                yield f"revision {state.revision} holds users where no write was verified"
            if not any(move.target is Side.STANDBY for move in history.world_state.moves):
                yield f"revision {state.revision} holds users on a side that never was writer"
        before = state
