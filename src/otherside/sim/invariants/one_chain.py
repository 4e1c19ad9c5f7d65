"""I2: revisions form one chain, and each follows from the one before it and from what was seen."""

from collections.abc import Iterator

from otherside.core.decide import decide
from otherside.core.state import first
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield each revision that replaying the log does not give again."""
    state = first(0.0)
    for one in history.log:
        if one.state.revision != state.revision + 1:
            yield f"revision {one.state.revision} comes after {state.revision}"
        if decide(state, one.facts, history.policy).state != one.state:
            yield f"revision {one.state.revision} does not follow from {state.revision}"
        state = one.state
