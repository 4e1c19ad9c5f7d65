"""I13: only a dead Region or a dead writer leads to a failover without an approval."""

from collections.abc import Iterator

from otherside.failover.decision.state import Phase
from otherside.failover.decision.verdict import DEADLY
from otherside.sim.faults import Fault
from otherside.sim.history import History, approved

HARMLESS = frozenset(
    {
        Fault.PROBE_BROKEN,
        Fault.CONTROL_PLANE_DOWN,
        Fault.LAGGING,
        Fault.WITNESS_GONE,
        Fault.APP_DOWN_BOTH,
        Fault.LINK_CUT,
        Fault.PRIMARY_TO_STANDBY_CUT,
        Fault.STANDBY_TO_PRIMARY_CUT,
        Fault.STORE_DOWN,
        Fault.STANDBY_HEADLESS,
        Fault.VERSION_DRIFT,
        *(
            Fault.AGENTS_DENIED,
            Fault.PRIMARY_AGENTS_DENIED,
            Fault.FRONT_DOOR,
            Fault.MACHINES_GONE,
        ),
        *(
            Fault.STANDBY_MACHINES_NEW,
            Fault.STANDBY_APP_DOWN,
            Fault.STANDBY_BUSY,
            Fault.STANDBY_STOPPED,
        ),
        *(Fault.STANDBY_DETACHED, Fault.LEASE_DENIED, Fault.PLEDGE_DENIED, Fault.PLEDGE_DOWN),
        *(Fault.CLAIM_DENIED, Fault.MOVE_DENIED, Fault.ACTUATOR_DEAD, Fault.TOPIC_DENIED),
        *(Fault.LATCH_DENIED, Fault.TABLE_LOST, Fault.TABLE_RESTORED, Fault.NEWER_SCHEMA),
        *(Fault.LEASE_CORRUPT, Fault.PULSE_CORRUPT, Fault.ANSWERS_GARBLED),
    }
)
"""Faults that must never move the writer on their own."""


def check(history: History) -> Iterator[str]:
    """Yield each failover that began on another verdict, or under faults that are no disaster."""
    fenced = list(history.entries(Phase.FENCING))
    for _, entry in fenced:
        if entry.state.verdict not in DEADLY:
            yield f"revision {entry.state.revision}: fenced on {entry.state.verdict}"
    faults = {window.fault for window in history.world_state.windows}
    unasked = [entry for before, entry in fenced if not approved(before, entry)]
    if unasked and len(faults) <= 1 and faults <= HARMLESS:
        yield f"fenced under {', '.join(faults) or 'no fault at all'}"
