"""I17: an approval is recent, answers the current question, and covers no more than was shown."""

from collections.abc import Iterator

from otherside.core.topology import FailoverMode
from otherside.failover.decision.observation import Order
from otherside.failover.decision.state import Phase
from otherside.sim.history import History

OLDEST_S, SLACK_S = 900.0, 1.0


def check(history: History) -> Iterator[str]:
    """Yield each fencing that needed an approval and had no valid one."""
    for before, entry in history.entries(Phase.FENCING):
        if before.phase not in {Phase.AWAIT_APPROVAL, Phase.BLOCKED}:
            continue
        loss = entry.observation.replication
        alone = (
            history.policy.mode is FailoverMode.AUTO
            and not before.denied
            and loss is not None
            and loss.estimate_s <= history.policy.loss_auto_s
        )
        command = entry.observation.command
        yes = command is not None and command.order is Order.APPROVE
        if not yes or command is None:
            if not alone:
                yield f"revision {entry.state.revision}: fenced, and nobody had said yes"
            continue
        age_s = entry.observation.at_s - command.at_s
        fits = entry.before.entered <= command.revision <= entry.before.revision
        if alone and not (fits and age_s <= OLDEST_S):
            continue  # allowed by what is observed now, not by the earlier approval
        if age_s > OLDEST_S or not fits:
            yield f"revision {entry.state.revision}: fenced by an approval of {age_s:.0f} s ago"
        shown_s = command.loss_s if command.loss_s is not None else entry.before.asked_loss_s
        more = loss is None or (shown_s is not None and loss.estimate_s > shown_s + SLACK_S)
        if shown_s is not None and more and not alone:
            yield f"revision {entry.state.revision}: more may be lost than was approved"
