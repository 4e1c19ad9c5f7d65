"""I5: once a later epoch is committed, no call of an earlier epoch is made any more."""

from collections.abc import Iterator

from otherside.sim.history import History
from otherside.sim.world_state import BY_HAND


def check(history: History) -> Iterator[str]:
    """Yield each call of an epoch that was over."""
    begun: dict[int, float] = {}
    for item in history.log:
        if item.state.intent is not None:
            begun.setdefault(item.state.intent.epoch, item.at_s)
    for call in history.world_state.calls:
        if call.operation == BY_HAND:
            continue
        epoch = int(call.operation.split(".")[0])
        later = [at_s for other, at_s in begun.items() if other > epoch]
        if later and call.at_s > min(later):
            yield f"{call.operation} was called after epoch {epoch + 1} had begun"
