"""I3: data is given up only after a whole window in which no user's write was acknowledged."""

from collections.abc import Iterator

from otherside.failover.decision.observation import Reading, Signals
from otherside.failover.decision.state import Phase
from otherside.sim.faults import Fault
from otherside.sim.history import History

WINDOW_S, UNANIMOUS_S = 60.0, 45.0
"""Not taken from the policy, so that shortening a window there fails here. The shorter one is for
what everybody sees as dead."""
_OF_PRIMARY = (
    *("standby_canary", "witness_canary", "heartbeat", "app_pulse", "write_pulse", "dns_health"),
    "control_plane",
)
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
            window_s = UNANIMOUS_S if _is_unanimous(entry.observation.signals) else WINDOW_S
            if held_s < window_s - clocks_s:
                yield f"revision {entry.state.revision}: {phase} after {held_s:.0f} s"
            seen_s = entry.observation.at_s
            if _served(history, seen_s - window_s + clocks_s, seen_s, glimpse_s):
                yield f"revision {entry.state.revision}: {phase} though the writer served users"


def _is_unanimous(signals: Signals) -> bool:
    """Return whether each signal of the primary, and RDS there, was bad."""
    seen = (getattr(signals, name) for name in _OF_PRIMARY)
    return all(signal.reading is Reading.BAD for signal in seen)


def _served(history: History, from_s: float, to_s: float, glimpse_s: float) -> bool:
    return any(
        row.public and min(row.to_s, to_s) - max(row.from_s, from_s) > glimpse_s
        for row in history.world_state.rows
    )
