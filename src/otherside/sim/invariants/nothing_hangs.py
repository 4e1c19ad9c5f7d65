"""L2: no phase that is meant to pass lasts longer than its time without somebody being told."""

from collections.abc import Iterator

from otherside.core.state import Phase
from otherside.sim.history import History
from otherside.sim.script import HEALED_S

RESTING = frozenset(
    {
        Phase.STEADY,
        Phase.AWAIT_APPROVAL,
        Phase.BLOCKED,
        Phase.FAILED_OVER,
        Phase.REJOINED,
        Phase.FAILBACK_READY,
        Phase.HALTED,
    }
)
LONGEST_S = {
    Phase.SUSPECT: 800.0,
    Phase.FENCING: 200.0,
    Phase.PROMOTE_INTENT: 400.0,
    Phase.PROMOTING: 700.0,
    Phase.VERIFY: 400.0,
    Phase.SHIFT: 400.0,
    Phase.SWITCH_PRECHECK: 450.0,
    Phase.SWITCH_INTENT: 400.0,
    Phase.SWITCHING: 700.0,
}


def check(history: History) -> Iterator[str]:
    """Yield the phase that the run ends in, if it has lasted too long and nobody knows."""
    if not history.healed:
        return
    last = history.states[-1]
    if last.phase in RESTING:
        return
    entered_s = next(one.at_s for one in reversed(history.log) if one.state.since_s == last.since_s)
    since_s = max(entered_s, HEALED_S)
    lasted_s = history.truth.now_s - since_s
    told = any(at_s >= since_s for at_s, _, _ in history.cloud.pages)
    if lasted_s > LONGEST_S[last.phase] and not told:
        yield f"{last.phase} for {lasted_s:.0f} s, and nobody was told: {last.reason}"
