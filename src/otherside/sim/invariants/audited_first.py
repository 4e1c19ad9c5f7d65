"""I14: every change of the world has a record, committed before it; no record holds a secret."""

from collections.abc import Iterator

from otherside.failover.decision.state import Phase
from otherside.sim.history import History
from otherside.sim.world_state import BY_HAND


def check(history: History) -> Iterator[str]:
    """Yield each call without an earlier record, and each change of phase without a reason."""
    intended = {
        item.state.intent.operation: item.at_s
        for item in reversed(history.log)
        if item.state.intent is not None
    }
    claimed = {claim.intent.operation: claim.at_s for claim in history.cloud.claims}
    for call in history.world_state.calls:
        if call.operation == BY_HAND:
            continue
        for kind, records in (("intent", intended), ("claim", claimed)):
            if records.get(call.operation, float("inf")) > call.at_s:
                yield f"{call.operation} was called before its {kind} was written down"
    for item in history.log:
        before = item.before
        # A flapping Region is reported once, not each time.
        flaps = {before.phase, item.state.phase} == {Phase.STEADY, Phase.SUSPECT}
        said = item.state.reason and (item.notice or flaps)
        if item.state.phase is not before.phase and not said:
            yield f"revision {item.state.revision} changes the phase and does not say why"
