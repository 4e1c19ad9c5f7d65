"""I3: data is given up only after a whole window in which no user's write was acknowledged."""

from collections.abc import Iterator

from otherside.failover.decision.state import Phase
from otherside.sim.faults import Fault
from otherside.sim.history import History

WINDOW_S = 60.0
"""Not taken from the policy, so that shortening the window there fails here."""
GLIMPSE_S = 15.0
"""A writer that lives for less, between two ticks that find out anything, goes unseen."""
TRACELESS_S = 30.0
"""The same if the agents that would record its life are dead."""


def check(history: History) -> Iterator[str]:
    """Yield each step towards a failover that came too early, or while the writer was alive.

    Asking a person, or refusing, for a wrong reason is a mistake too: it wakes someone.
    """
    clocks_s = 2 * history.policy.skew_s
    silent = any(window.fault is Fault.AGENTS_DEAF for window in history.world_state.windows)
    glimpse_s = TRACELESS_S if silent else GLIMPSE_S
    for phase in (Phase.FENCING, Phase.AWAIT_APPROVAL, Phase.BLOCKED):
        for before, entry in history.entries(phase):
            if before.phase is not Phase.SUSPECT:
                continue
            held_s = entry.observation.at_s - (entry.state.bad_since_s or entry.observation.at_s)
            if held_s < WINDOW_S - clocks_s:
                yield f"revision {entry.state.revision}: {phase} after {held_s:.0f} s"
            seen_s = entry.observation.at_s
            if _served(history, seen_s - WINDOW_S + clocks_s, seen_s, glimpse_s):
                yield f"revision {entry.state.revision}: {phase} though the writer served users"


def _served(history: History, from_s: float, to_s: float, glimpse_s: float) -> bool:
    return any(
        row.public and min(row.to_s, to_s) - max(row.from_s, from_s) > glimpse_s
        for row in history.world_state.rows
    )
