"""I19: a standby that serves everyone is given enough capacity, and keeps it."""

from collections.abc import Iterator

from otherside.core.topology import Side
from otherside.failover.decision.state import Phase
from otherside.sim.faults import Fault
from otherside.sim.history import History

SOON_S = 180.0


def check(history: History) -> Iterator[str]:
    """Yield if the standby served for long, with a working actuator, but was never scaled up."""
    away = [
        entry.at_s
        for before, entry in history.entries(Phase.FAILED_OVER)
        if entry.state.writer is Side.STANDBY
    ]
    mute = {
        Fault.ACTUATOR_DEAD,
        Fault.STANDBY_GONE,
        Fault.STANDBY_CUT,
        Fault.STORE_DOWN,
        Fault.NEWER_SCHEMA,
    }
    if (
        not away
        or not history.calm
        or mute & {window.fault for window in history.world_state.windows}
    ):
        return
    due_s = max(away[0], history.calm_s) + SOON_S
    looks = [at_s for at_s, _ in history.looks if away[0] <= at_s <= due_s]
    if history.world_state.now_s > due_s and len(looks) > 1 and not history.cloud.capacity_raised:
        yield "the standby serves everyone with what it had"
