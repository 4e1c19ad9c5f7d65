"""L1: a Region that is gone for good is left, where nothing else stands in the way."""

from collections.abc import Iterator

from otherside.core.state import Phase
from otherside.core.topology import FailoverMode, Side
from otherside.sim.history import History
from otherside.sim.script import HEALED_S
from otherside.sim.truth import Ill

RECOVERY_S = 600.0
"""Three ticks, the window, the fence, a late actor's time, and one more attempt of each kind."""


def check(history: History) -> Iterator[str]:
    """Yield that nobody took over; Aurora may have been asked in vain, if that was said."""
    truth, policy = history.truth, history.policy
    end_s = truth.now_s
    gone = [one for one in truth.spells if one.ill is Ill.PRIMARY_GONE and one.to_s > end_s]
    alone = len(truth.spells) == 1 and bool(gone)
    free = policy.mode is FailoverMode.AUTO and not policy.freezes
    quiet = history.cloud.command is history.cloud.freeze is None and not any(
        one.by_hand for one in truth.moves
    )
    asked = [call for call in truth.calls if call.operation == "by-hand"]
    if not (alone and free and quiet and history.calm and history.obedient) or asked:
        return
    serving = [
        one.at_s for one in history.log if one.state.latched and one.state.writer is Side.STANDBY
    ]
    halted = any(state.phase is Phase.HALTED for state in history.states)
    by_s = max(HEALED_S, gone[0].from_s) + RECOVERY_S + 2 * truth.promote_s
    if by_s > end_s:
        return
    if not halted and (not serving or serving[0] > by_s):
        last = history.states[-1]
        yield f"the primary is gone and nobody took over: {last.phase}, {last.reason}"
