"""I21: users are never released from the writer's side, whatever the orchestrator has forgotten."""

from collections.abc import Iterator
from itertools import pairwise

from otherside.core.topology import Side
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield each time that DNS was released while the writer was on the standby."""
    for (_, before, _), (at_s, latch, writer) in pairwise(history.latches):
        if (
            before
            and not latch
            and writer is Side.STANDBY
            and not history.moved_by_hand_before(at_s)
        ):
            yield f"users were let go at {at_s:.0f} s, and the writer was on the standby"
