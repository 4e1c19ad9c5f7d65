"""L4: once everything has healed and people do their part, the writer returns to the primary."""

from collections.abc import Iterator

from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.state import Phase
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield the final state if it is any other."""
    observing = history.policy.mode is FailoverMode.OBSERVE
    if not (history.healed and history.diligent) or observing:
        return
    last, world_state = history.states[-1], history.world_state
    if (
        last.phase is not Phase.STEADY
        or world_state.writer is not Side.PRIMARY
        or world_state.latch
    ):
        yield f"not home: {last.phase}, the writer on {world_state.writer}: {last.reason}"
