"""L3: every phase that waits for a person has notified one, and no notice is lost."""

from collections.abc import Iterator

from otherside.sim.history import History

LATE_S = 130.0
"""Two ticks after the last trouble ended."""


def check(history: History) -> Iterator[str]:
    """Yield each notice that was never delivered, once the world has healed."""
    if not history.healed:
        return
    heard = {revision for _, revision, _ in history.cloud.pages}
    for item in history.log:
        old = history.world_state.now_s - item.at_s > LATE_S
        if item.at_s <= history.lost_s + LATE_S:
            continue  # a table that was lost no longer knows which notices were sent
        if item.notice is not None and old and item.state.revision not in heard:
            yield f"revision {item.state.revision}: nobody heard '{item.notice}'"
