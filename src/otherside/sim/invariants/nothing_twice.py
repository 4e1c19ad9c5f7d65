"""I12: the same observation, seen twice, asks for nothing new."""

from collections.abc import Iterator

from otherside.failover.decision.decide import decide
from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield each revision after which the same observation would ask for a different move."""
    for item in history.log:
        asked = decide(item.before, item.observation, history.policy)
        said = (asked.state, asked.notice, asked.urgent)
        if said != (item.state, item.notice, item.urgent):
            yield f"revision {item.state.revision}: the same question has two answers"
        if asked.move is None:
            continue
        again = decide(item.state, item.observation, history.policy)
        if again.move is not None and again.move != asked.move:
            yield f"revision {item.state.revision}: the same look asks for another move"
