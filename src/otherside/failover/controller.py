"""One tick: load, observe, decide, commit, act.

The event that woke the function is never evidence. The next tick repairs a crash at any line:
before the commit nothing has happened, and after it the committed state asks again for every action
that has not taken effect.
"""

from dataclasses import dataclass

from otherside.failover.decision.decide import Decision, decide
from otherside.failover.decision.observation import Observation
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import State
from otherside.failover.ports import ConflictError, DeciderPorts, UnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The result of one tick."""

    before: State
    observation: Observation
    decision: Decision
    failed: tuple[str, ...]
    """The actions that could not be carried out, with reasons; the next tick asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickFailed:
    """A tick that came to no result."""

    why: str
    overtaken: bool = False
    """Whether another run committed meanwhile, and so is active too."""


def reconcile_once(ports: DeciderPorts, policy: FailoverPolicy) -> Tick | TickFailed:
    """Run one tick; return its result, or why there was none.

    Nothing is done that is not committed. A Region that is cut off from the majority can neither
    read nor commit, and so does nothing but extend its pledge.
    """
    began_s = ports.now_s()
    try:
        state = ports.load_state()
        observation = ports.observe(state)
        decision = decide(state, observation, policy)
        if decision.changed:
            # This function may have been frozen since it began: the old observation justifies no
            # step now, even if no other run has taken one meanwhile.
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
        # Each action is independent: a topic that is down must not stop the writer's move.
        try:
            effect(decision)
        except UnavailableError as error:
            failed.append(str(error))
    ports.record_failures(tuple(failed))
    return Tick(before=state, observation=observation, decision=decision, failed=tuple(failed))


def _with_bridge(why: str, ports: DeciderPorts) -> str:
    """Extend the pledge: a decider that cannot commit gives no side up."""
    try:
        ports.extend_pledge()
    except UnavailableError as error:
        return f"{why}; {error}"
    return why
