"""L5 without chance: kill a function once, at each moment of each scenario, one run for each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from otherside.core.topology import FailoverMode
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase
from otherside.sim.faults import Fault, FaultRates, FaultWindow
from otherside.sim.script import FOREVER_S, LONG_RUN_S, People, Script
from otherside.sim.swarm import Run, run

_CALM = Script(
    seed=1,
    run_s=LONG_RUN_S,
    calm_s=0.0,
    windows=(),
    fault_rates=FaultRates(),
    policy=FailoverPolicy(
        mode=FailoverMode.AUTO, loss_auto_s=5.0, stable_s=60.0, block_s=600.0, remind_s=120.0
    ),
    promote_s=60.0,
    cancels=0,
    refusals=0,
    people=People.DILIGENT,
    orders=(),
    by_hand_s=None,
)


def _lost(to_s: float) -> tuple[FaultWindow, ...]:
    return (FaultWindow(fault=Fault.PRIMARY_GONE, from_s=50.0, to_s=to_s),)


def _asked(script: Script) -> Script:
    return replace(script, policy=replace(script.policy, mode=FailoverMode.APPROVE))


STORIES = {
    "lost and back": replace(_CALM, windows=_lost(500.0)),
    "asked first": _asked(replace(_CALM, windows=_lost(500.0))),
    "lost for good": replace(_CALM, windows=_lost(FOREVER_S), people=People.NOBODY),
    "cancelled once": replace(_CALM, windows=_lost(500.0), cancels=1),
    "refused for ever": replace(_CALM, windows=_lost(500.0), refusals=9),
    "moved by hand": replace(_CALM, by_hand_s=100.0),
    "observed": replace(
        _CALM, windows=_lost(500.0), policy=replace(_CALM.policy, mode=FailoverMode.OBSERVE)
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """One cell of the matrix: where the function was killed, and what broke."""

    story: str
    phase: Phase
    call: str
    when: str
    broken: tuple[str, ...]


@cache
def _whole(story: str) -> Run:
    """Return a scenario's run in which nothing is killed; it is only read."""
    return run(STORIES[story])


def kills() -> Iterator[tuple[str, int]]:
    """Yield each moment to kill a function: the first of its kind in each phase of a scenario."""
    for name in STORIES:
        seen = set()
        for number, step in enumerate(_whole(name).history.cloud.steps, start=1):
            if step not in seen:
                seen.add(step)
                yield name, number


def kill(story: str, number: int) -> Killed:
    """Run a scenario with a function killed at one moment, and compare it with the full run."""
    whole, ended = _whole(story), run(STORIES[story], kill_at=number)
    call, when, phase = whole.history.cloud.steps[number - 1]
    return Killed(
        story=story,
        phase=phase,
        call=call,
        when=when,
        broken=(*ended.broken, *_differences(whole, ended)),
    )


def _differences(whole: Run, ended: Run) -> Iterator[str]:
    """Yield how the run's final state differs from the full run's."""
    expected, actual = whole.history.states[-1].phase, ended.history.states[-1].phase
    if actual is not expected:
        yield f"ends in {actual} and not in {expected}"
    before, after = whole.history.world_state, ended.history.world_state
    if (after.writer, after.latch) != (before.writer, before.latch):
        yield f"the writer ends on {after.writer}, users held: {after.latch}"
