"""I11: an orchestrator without a majority commits nothing, claims nothing and calls nothing."""

from collections.abc import Iterator

from otherside.sim.history import History
from otherside.sim.world_state import BY_HAND


def check(history: History) -> Iterator[str]:
    """Yield each commit without a majority, and each call without a claim."""
    for item in history.log:
        if not item.could_vote:
            yield f"revision {item.state.revision} was committed without a majority"
    claimed = {claim.intent.operation for claim in history.cloud.claims}
    for call in history.world_state.calls:
        if call.operation != BY_HAND and call.operation not in claimed:
            yield f"{call.operation} was called by somebody who had claimed nothing"
