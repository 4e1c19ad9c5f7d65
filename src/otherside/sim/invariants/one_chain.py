"""I2: revisions form one chain; each follows from the previous one and from its observation."""

from collections.abc import Iterator
from dataclasses import replace

from otherside.failover.decision.decide import decide
from otherside.failover.decision.state import first
from otherside.sim.history import History

LATE_S = 30.0
"""A tick that read the table before it was lost may still commit on top of that."""


def check(history: History) -> Iterator[str]:
    """Yield each revision that a replay of the log does not reproduce."""
    state, last_s = first(0.0), 0.0
    for item in history.log:
        lost = any(last_s - LATE_S <= at_s <= item.at_s for at_s in history.losses)
        before = item.before if lost else state
        if item.state.revision != before.revision + 1:
            yield f"revision {item.state.revision} comes after {before.revision}"
        if not lost and replace(item.before, since_s=0.0) != replace(state, since_s=0.0):
            yield f"revision {item.state.revision} was decided on another than {state.revision}"
        if decide(item.before, item.observation, history.policy).state != item.state:
            yield f"revision {item.state.revision} does not follow from {before.revision}"
        state, last_s = item.state, item.at_s
