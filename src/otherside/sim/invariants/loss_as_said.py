"""I4: an automatic failover stays within its limit, and loses no more than was estimated."""

from collections.abc import Iterator

from otherside.core.topology import FailoverMode
from otherside.core.wire_contract import LEASE_S
from otherside.failover.decision.observation import Move, Replication
from otherside.failover.decision.state import Phase
from otherside.sim.history import History, approved
from otherside.sim.simulated_cloud import Committed
from otherside.sim.world_state import Effective

SLACK_S = 1.5


def check(history: History) -> Iterator[str]:
    """Yield each failover that wrongly skipped the approval, and each estimate or bound exceeded.

    Writes that a Region acknowledged while no one could see it are no error of the estimate. But
    the lease limits them, and the bound exists for exactly that.
    """
    fenced = list(history.entries(Phase.FENCING))
    for before, entry in fenced:
        if not approved(before, entry):
            yield from _unasked(history, entry)
    for move in history.world_state.moves:
        fences = [entry for _, entry in fenced if entry.at_s <= move.at_s]
        loss = fences[-1].observation.replication if fences else None
        if move.kind is Move.FAILOVER and not move.by_hand and loss is not None:
            yield from _more_than_said(history, move, loss)


def _unasked(history: History, committed: Committed) -> Iterator[str]:
    said = committed.state.loss_estimate_s
    if history.policy.mode is not FailoverMode.AUTO:
        yield f"revision {committed.state.revision}: nobody was asked in {history.policy.mode}"
    if said is None or said > history.policy.loss_auto_s:
        yield f"revision {committed.state.revision}: nobody was asked about {said} s"


def _more_than_said(history: History, move: Effective, loss: Replication) -> Iterator[str]:
    # While the table was away, leases went on by the pledge and no sign of life was recorded. That
    # time is added on top, as the guide says.
    bridged_s = max(0.0, history.world_state.bridged_s - loss.lived_s)
    known_s = max(loss.lived_s, history.world_state.bridged_s)
    unseen_s = history.world_state.acknowledged_s(move.target.other, known_s, move.at_s)
    if move.lost_s - unseen_s - bridged_s > loss.estimate_s + SLACK_S:
        yield f"{move.lost_s:.1f} s were lost where {loss.estimate_s:.1f} s were estimated"
    if move.lost_s - bridged_s > loss.bound_s + SLACK_S:
        yield f"{move.lost_s:.1f} s were lost where the bound was {loss.bound_s:.1f} s"
    if min(unseen_s, move.lost_s) > LEASE_S + SLACK_S:
        yield f"{unseen_s:.1f} s were acknowledged unseen, longer than a lease"
