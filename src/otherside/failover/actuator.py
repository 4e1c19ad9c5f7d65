"""Carry out a committed intent, after an observation of our own.

The decider wakes the actuator, which trusts nothing in the event that woke it. The newest committed
revision says what it may do; its own observation of the present says whether it still should.
"""

from otherside.failover.decision.decide import needs_capacity, veto_reason
from otherside.failover.decision.observation import ACCEPTED
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Intent
from otherside.failover.ports import ActuatorPorts, ConflictError, RefusedError, UnavailableError


def actuate(ports: ActuatorPorts, policy: FailoverPolicy) -> str:
    """Move the writer if a committed intent asks for it and nothing speaks against it.

    Return what was done, or why nothing was done, in one sentence. The call itself never proves
    that the writer has moved: the next tick observes that. Calls and refusals are recorded.
    """
    try:
        state = ports.load_state()
        observation = ports.observe(state)
    except UnavailableError as error:
        return f"nothing done: {error}"
    said = []
    against = veto_reason(state, observation, policy)
    if against is not None:
        said.append(f"no move: {against}")
    elif state.intent is not None:
        said.append(_carry_out(ports, state.intent))
    if needs_capacity(state, observation):
        try:
            ports.raise_capacity()
            said.append("raised the standby's capacity")
        except UnavailableError as error:
            said.append(f"the standby's capacity stays: {error}")
    return "; ".join(said)


def _carry_out(ports: ActuatorPorts, intent: Intent) -> str:
    """Claim an attempt, call Aurora once, and record the outcome of the call."""
    try:
        ports.claim(intent)
    except ConflictError:
        return f"no move: {intent.operation} is being carried out already"
    except UnavailableError as error:
        # The claim may exist all the same, so try to record that nothing was called.
        return _noted(ports, intent, f"no move: {intent.operation}: {error}", called=False)
    # Read the clock again right before the call: since the observation, this function may have been
    # frozen for minutes, and the intent may have expired.
    if ports.now_s() > intent.not_after_s:
        expired = f"no move: {intent.operation} expired before it could be carried out"
        return _noted(ports, intent, expired, called=False)
    try:
        ports.move(intent)
    except RefusedError as error:
        said = f"no move: {intent.operation}: {error}"
        return _noted(ports, intent, said, called=True, answer=error.code)
    except UnavailableError as error:
        said = f"{intent.operation}: nobody knows what became of it: {error}"
        return _noted(ports, intent, said, called=True)
    said = f"asked for a {intent.move} to {intent.target} as {intent.operation}"
    return _noted(ports, intent, said, called=True, answer=ACCEPTED)


def _noted(
    ports: ActuatorPorts, intent: Intent, said: str, *, called: bool, answer: str | None = None
) -> str:
    """Record the outcome of a call, and return the sentence that describes it."""
    try:
        ports.record_answer(intent, called=called, answer=answer)
    except UnavailableError as error:
        return f"{said}; and it could not be written down: {error}"
    return said
