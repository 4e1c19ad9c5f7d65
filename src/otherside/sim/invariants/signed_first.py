"""I16: after a failover there is no failback before a person has signed for that failover."""

from collections.abc import Iterator

from otherside.failover.decision.observation import Order
from otherside.failover.decision.state import Phase
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield each failback that became possible without a signature since, or too early."""
    since_s: float | None = None
    signed = False
    rejoined_s = 0.0
    for item in history.log:
        if item.at_s <= history.lost_s:
            continue
        phase, before = item.state.phase, item.before.phase
        if phase is Phase.FAILED_OVER and before is not phase:
            since_s, signed = item.observation.at_s, False
        if phase is Phase.REJOINED and before is not phase:
            rejoined_s = item.observation.at_s
        command = item.observation.command
        if (
            before is phase is Phase.REJOINED
            and command is not None
            and command.order is Order.SIGN_RECONCILIATION
            and item.before.entered <= command.revision
            and since_s is not None
            and command.at_s >= since_s - history.policy.skew_s
        ):
            signed = True
        opened = phase is Phase.FAILBACK_READY and before is Phase.REJOINED
        if opened and not signed:
            yield f"revision {item.state.revision}: the way home opened, and nobody had signed"
        stood_s = item.observation.at_s - rejoined_s
        if opened and stood_s < history.policy.stable_s - 2 * history.policy.skew_s:
            yield f"revision {item.state.revision}: the way home opened after {stood_s:.0f} s"
