"""L2: no phase waits longer than its limit without a notification, in any run at all."""

from collections.abc import Iterator
from itertools import pairwise

from otherside.failover.decision.state import Phase
from otherside.sim.faults import Fault
from otherside.sim.history import History

LONGEST_S = {
    Phase.SUSPECT: 800.0,
    Phase.AWAIT_APPROVAL: 60.0,
    Phase.BLOCKED: 60.0,
    Phase.HALTED: 60.0,
    Phase.FENCING: 200.0,
    Phase.PROMOTE_INTENT: 400.0,
    Phase.PROMOTING: 700.0,
    Phase.VERIFY: 400.0,
    Phase.SHIFT: 400.0,
    Phase.SWITCH_PRECHECK: 450.0,
    Phase.SWITCH_INTENT: 400.0,
    Phase.SWITCHING: 500.0,
}
"""When people must have been notified; switching and promoting include Aurora's longest time."""
LOOKS_MIN = 4
"""A decider that cannot observe cannot notify either."""


def check(history: History) -> Iterator[str]:
    """Yield each overlong stay in a phase that nobody was notified of, although ticks ran."""
    mute = {
        Fault.TOPIC_DENIED,
        Fault.STORE_DOWN,
        Fault.STANDBY_GONE,
        Fault.STANDBY_CUT,
        Fault.NEWER_SCHEMA,
    }
    if not history.calm or mute & {window.fault for window in history.world_state.windows}:
        return
    entries = [
        item
        for before, item in pairwise([None, *history.log])
        if item is not None and (before is None or before.state.phase is not item.state.phase)
    ]
    ends = [entry.at_s for entry in entries[1:]] + [history.world_state.now_s]
    for entry, end_s in zip(entries, ends, strict=False):
        longest_s = LONGEST_S.get(entry.state.phase)
        if longest_s is None:
            continue
        since_s = max(entry.at_s, history.calm_s)
        due_s = since_s + longest_s
        looks = [
            at_s for at_s, _ in history.looks if due_s - 60.0 <= at_s <= min(end_s, due_s + 120.0)
        ]
        told = any(entry.at_s - 1.0 <= at_s <= due_s + 130.0 for at_s, _, _ in history.cloud.pages)
        if end_s > due_s + 130.0 and len(looks) >= LOOKS_MIN and not told:
            yield (
                f"revision {entry.state.revision}: {entry.state.phase} "
                f"for {end_s - since_s:.0f} s, "
                f"and nobody was told: {entry.state.reason}"
            )
