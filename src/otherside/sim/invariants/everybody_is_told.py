"""L3: whoever waits for a person has told one, and no notice is lost."""

from collections.abc import Iterator

from otherside.sim.history import History

LATE_S = 130.0
"""Two ticks after the last trouble."""


def check(history: History) -> Iterator[str]:
    """Yield each notice that nobody heard, once the world has healed."""
    if not history.healed:
        return
    heard = {revision for _, revision, _ in history.cloud.pages}
    for item in history.log:
        old = history.world_state.now_s - item.at_s > LATE_S
        if item.at_s <= history.lost_s + LATE_S:
            continue  # a table that was lost has forgotten whom it told
        if item.notice is not None and old and item.state.revision not in heard:
            yield f"revision {item.state.revision}: nobody heard '{item.notice}'"
