"""L4: once all is healed and people do their part, the writer comes home."""

from collections.abc import Iterator

from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.state import Phase
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield where it stands instead."""
    observing = history.policy.mode is FailoverMode.OBSERVE
    if not (history.healed and history.diligent) or observing:
        return
    last, truth = history.states[-1], history.truth
    if last.phase is not Phase.STEADY or truth.writer is not Side.PRIMARY or truth.latch:
        yield f"not home: {last.phase}, the writer on {truth.writer}: {last.reason}"
