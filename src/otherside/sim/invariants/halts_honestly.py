"""I20: a halt leaves the lease as it is, and no halt is due to calls that were never made."""

from collections.abc import Iterator

from otherside.failover.decision.state import Phase
from otherside.failover.decision.transitions import Event
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield each lease that was set in a halt, and each halt over calls that were never made."""
    for at_s, phase in history.cloud.lease_set:
        if phase is Phase.HALTED:
            yield f"the lease was set in a halt, at {at_s:.0f} s"
    claimed = {claim.intent.epoch for claim in history.cloud.claims}
    for _, entry in history.entries(Phase.HALTED):
        if entry.state.entered_by != Event.EXHAUSTED or entry.state.intent is None:
            continue
        if entry.state.intent.epoch not in claimed:
            yield f"revision {entry.state.revision}: halted over calls that nobody made"
