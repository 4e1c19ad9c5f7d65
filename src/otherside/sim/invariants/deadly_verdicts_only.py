"""I13: nothing but a dead Region or a dead writer leads to a failover that nobody approved."""

from collections.abc import Iterator

from otherside.failover.decision.state import Phase
from otherside.failover.decision.verdict import DEADLY
from otherside.sim.history import History, approved
from otherside.sim.world_state import Ill

HARMLESS = frozenset(
    {
        Ill.PROBE_BROKEN,
        Ill.CONTROL_PLANE_DOWN,
        Ill.LAGGING,
        Ill.WITNESS_GONE,
        Ill.APP_DOWN_BOTH,
        Ill.LINK_CUT,
        Ill.PRIMARY_TO_STANDBY_CUT,
        Ill.STANDBY_TO_PRIMARY_CUT,
        Ill.STORE_DOWN,
        Ill.STANDBY_HEADLESS,
        Ill.VERSION_DRIFT,
        *(Ill.KEEPERS_DENIED, Ill.PRIMARY_KEEPERS_DENIED, Ill.FRONT_DOOR, Ill.MACHINES_GONE),
        *(Ill.STANDBY_MACHINES_NEW, Ill.STANDBY_APP_DOWN, Ill.STANDBY_BUSY, Ill.STANDBY_STOPPED),
        *(Ill.STANDBY_DETACHED, Ill.LEASE_DENIED, Ill.PLEDGE_DENIED, Ill.PLEDGE_DOWN),
        *(Ill.CLAIM_DENIED, Ill.MOVE_DENIED, Ill.ACTUATOR_DEAD, Ill.TOPIC_DENIED),
        *(Ill.LATCH_DENIED, Ill.TABLE_LOST, Ill.TABLE_RESTORED, Ill.NEWER_SCHEMA),
        *(Ill.LEASE_CORRUPT, Ill.PULSE_CORRUPT, Ill.ANSWERS_GARBLED),
    }
)
"""What alone must never move the writer."""


def check(history: History) -> Iterator[str]:
    """Yield each failover that began on any other verdict, or under ills that are no disaster."""
    fenced = list(history.entries(Phase.FENCING))
    for _, one in fenced:
        if one.state.verdict not in DEADLY:
            yield f"revision {one.state.revision}: fenced on {one.state.verdict}"
    ills = {spell.ill for spell in history.truth.spells}
    unasked = [one for before, one in fenced if not approved(before, one)]
    if unasked and len(ills) <= 1 and ills <= HARMLESS:
        yield f"fenced under {', '.join(ills) or 'no ill at all'}"
