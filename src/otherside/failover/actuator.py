"""Carrying out a committed intent, by a function that looks for itself first.

It is woken by the decider and trusts nothing that it was woken with. What it may do stands in the
newest committed revision; whether it still should, it asks of the world as it is now.
"""

from otherside.failover.decision.decide import needs_capacity, veto_reason
from otherside.failover.decision.observation import ACCEPTED
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Intent
from otherside.failover.ports import ActuatorPorts, ConflictError, RefusedError, UnavailableError


def actuate(ports: ActuatorPorts, policy: FailoverPolicy) -> str:
    """Move the writer if a committed intent asks for it and nothing speaks against it.

    Return what was done, or why nothing was, in one sentence. Whether the writer has moved is never
    taken from the call: the next look sees it. That there was a call, and a no, is written down.
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
    """Claim an attempt, call once, and write down what became of the call."""
    try:
        ports.claim(intent)
    except ConflictError:
        return f"no move: {intent.operation} is being carried out already"
    except UnavailableError as error:
        # The claim may be there all the same; that nothing was called is worth a try to say.
        return _noted(ports, intent, f"no move: {intent.operation}: {error}", called=False)
    # Read again right before the call: since the look, this function may have been
    # frozen for minutes, and the world may have moved on.
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
    """Write down what became of a call; return what to say of it."""
    try:
        ports.record_answer(intent, called=called, answer=answer)
    except UnavailableError as error:
        return f"{said}; and it could not be written down: {error}"
    return said
