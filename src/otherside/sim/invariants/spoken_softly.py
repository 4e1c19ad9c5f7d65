"""I22: people are notified of news, and not of every flap of a Region."""

from collections.abc import Iterator

from otherside.sim.history import History

LATE_S = 900.0
"""A revision decided just before the loss may be notified just after it."""
PER_HOUR_MAX = 110
"""Every step of two whole scenarios within the hour, and the reminders of everything that waits."""


def check(history: History) -> Iterator[str]:
    """Yield if too many messages were sent, and each old one that was repeated without a reason."""
    hours = history.world_state.now_s / 3600.0
    if len(history.cloud.pages) > PER_HOUR_MAX * max(hours, 1 / 2):
        yield f"{len(history.cloud.pages)} messages in {hours:.1f} hours"
    if history.lost_s > 0:
        old = [
            revision
            for at_s, revision, _ in history.cloud.pages
            if at_s > history.lost_s + LATE_S
            and _decided_s(history, revision, at_s) < history.lost_s
        ]
        if old:
            yield f"after the table was lost people were told again of {len(old)} old revisions"


def _decided_s(history: History, revision: int, by_s: float) -> float:
    known = [c.at_s for c in history.log if c.state.revision == revision and c.at_s <= by_s]
    return known[-1] if known else by_s
