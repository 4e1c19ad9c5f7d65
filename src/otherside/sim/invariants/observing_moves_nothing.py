"""I10: neither OBSERVE mode nor a freeze moves anything, and OBSERVE decides as AUTO would."""

from collections.abc import Iterator
from itertools import zip_longest

from otherside.core.topology import FailoverMode
from otherside.failover.decision.state import Phase
from otherside.sim.history import History
from otherside.sim.world_state import BY_HAND

_BEFORE = frozenset({Phase.STEADY, Phase.SUSPECT})


def check(history: History) -> Iterator[str]:
    """Yield each forbidden call, and each difference from the live decision."""
    calls = [call for call in history.world_state.calls if call.operation != BY_HAND]
    if history.policy.mode is FailoverMode.OBSERVE and calls:
        yield f"{len(calls)} calls while observing"
    for call in calls:
        # An intent that was committed before the window may still be carried out.
        late_s = history.policy.intent_s + history.policy.skew_s
        if any(a + late_s < call.at_s < b - late_s for a, b in history.policy.freezes):
            yield f"{call.operation} was called in a freeze"
    if history.rehearsal is not None:
        yield from _differences(history)


def _differences(history: History) -> Iterator[str]:
    assert history.rehearsal is not None, "there is nothing to compare with"
    closes = False
    for seen, live in zip_longest(history.log, history.rehearsal):
        if seen is None or live is None:
            yield "observing stopped deciding before acting did, or the other way round"
            return
        # Acting closes a dead Region's lease within the window, and then sees it closed: from then
        # on its calls are others, and so are the troubles that they meet.
        if closes and seen.state.phase is not live.state.phase:
            return
        if live.state.phase not in _BEFORE:
            moves = live.state.phase in {Phase.FENCING, Phase.AWAIT_APPROVAL, Phase.BLOCKED}
            if moves and seen.state.phase is not Phase.BLOCKED:
                yield f"acting went to {live.state.phase}, observing to {seen.state.phase}"
            return
        closes = closes or live.state.unanimous
        if seen.state != live.state:
            if closes:
                return
            yield f"revision {live.state.revision} differs before anything was moved"
            return
