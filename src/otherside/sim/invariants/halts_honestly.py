"""I20: a halt leaves the lease as it is, and closes none for what nobody asked of Aurora."""

from collections.abc import Iterator

from otherside.failover.decision.state import Phase
from otherside.failover.decision.transitions import Event
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield each lease that was set in a halt, and each halt over calls that nobody made."""
    for at_s, phase in history.cloud.lease_set:
        if phase is Phase.HALTED:
            yield f"the lease was set in a halt, at {at_s:.0f} s"
    claimed = {one.intent.epoch for one in history.cloud.claims}
    for _, one in history.entries(Phase.HALTED):
        if one.state.entered_by != Event.EXHAUSTED or one.state.intent is None:
            continue
        if one.state.intent.epoch not in claimed:
            yield f"revision {one.state.revision}: halted over calls that nobody made"
