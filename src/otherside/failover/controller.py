"""One look at the world, and what it asks for: load, observe, decide, commit, act.

What woke us is never evidence. A crash at any line is mended by the next look: before the commit
nothing has happened, and after it the committed state asks again for whatever the world lacks.
"""

from dataclasses import dataclass

from otherside.failover.decision.decide import Decision, decide
from otherside.failover.decision.observation import Observation
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import State
from otherside.failover.ports import ConflictError, DeciderPorts, UnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one look came to."""

    before: State
    observation: Observation
    decision: Decision
    failed: tuple[str, ...]
    """What was asked for and could not be done, with the reasons; the next look asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickFailed:
    """A look that came to nothing."""

    why: str
    overtaken: bool = False
    """Whether somebody else committed meanwhile, and so is looking too."""


def reconcile_once(ports: DeciderPorts, policy: FailoverPolicy) -> Tick | TickFailed:
    """Take one look; return it, or why none could be taken.

    Nothing is asked of the world that is not committed: a Region that is cut off from the majority
    can neither read nor commit, and so does nothing but keep its word.
    """
    began_s = ports.now_s()
    try:
        state = ports.load_state()
        observation = ports.observe(state)
        decision = decide(state, observation, policy)
        if decision.changed:
            # This function may have been frozen since it began: what was so then is no ground
            # for a step now, even if nobody has taken one meanwhile.
            if ports.now_s() - began_s > policy.fresh_s:
                return TickFailed(why="the look is too old to be committed")
            ports.commit(decision, observation)
    except ConflictError as error:
        return TickFailed(why=str(error), overtaken=True)
    except UnavailableError as error:
        return TickFailed(why=_with_bridge(str(error), ports))
    failed = []
    for effect in (
        ports.set_lease_terms,
        ports.pledge,
        ports.invoke_actuator,
        ports.publish_metrics,
        ports.notify,
    ):
        # Each for itself: a topic that is down must not keep the writer where it is.
        try:
            effect(decision)
        except UnavailableError as error:
            failed.append(str(error))
    ports.record_failures(tuple(failed))
    return Tick(before=state, observation=observation, decision=decision, failed=tuple(failed))


def _with_bridge(why: str, ports: DeciderPorts) -> str:
    """Let the pledge hold on: whoever cannot commit gives nobody up."""
    try:
        ports.extend_pledge()
    except UnavailableError as error:
        return f"{why}; {error}"
    return why
