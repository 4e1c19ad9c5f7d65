"""I9: two automatic failovers are far apart, and no failback is automatic."""

from collections.abc import Iterator
from itertools import pairwise

from otherside.core.topology import Side
from otherside.failover.decision.observation import Move, Order
from otherside.failover.decision.state import Phase
from otherside.sim.history import History, approved


def check(history: History) -> Iterator[str]:
    """Yield each automatic move too soon after another, and each one back to the primary."""
    failovers = [
        move
        for move in history.world_state.moves
        if move.kind is Move.FAILOVER and not move.by_hand
    ]
    if any(failover.target is Side.PRIMARY for failover in failovers):
        yield "a failover went home"
    for before, entry in history.entries(Phase.SWITCH_PRECHECK):
        command = entry.observation.command
        if command is None or command.order is not Order.SWITCHOVER:
            yield f"revision {entry.state.revision}: left {before.phase} and nobody had ordered it"
    unasked = [
        entry.at_s
        for before, entry in history.entries(Phase.FENCING)
        if not approved(before, entry)
    ]
    for earlier, later in pairwise(failovers):
        between = [at_s for at_s in unasked if earlier.at_s < at_s < later.at_s]
        if between and between[-1] - earlier.at_s < history.policy.block_s:
            yield f"two failovers within {later.at_s - earlier.at_s:.0f} s, and nobody was asked"
