"""I12: the same look twice asks for nothing new."""

from collections.abc import Iterator

from otherside.failover.decision.decide import decide
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield each revision after which the very same facts would ask for another move."""
    for one in history.log:
        state = one.before
        asked = decide(state, one.facts, history.policy)
        again = decide(one.state, one.facts, history.policy)
        if asked != decide(state, one.facts, history.policy):
            yield f"revision {one.state.revision}: the same question has two answers"
        if again.move is not None and asked.move is not None and again.move != asked.move:
            yield f"revision {one.state.revision}: the same look asks for another move"
