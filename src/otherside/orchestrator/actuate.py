"""Carrying out a committed intent, by a function that looks for itself first.

It is woken by the decider and trusts nothing that it was woken with. What it may do stands in the
newest committed revision; whether it still should, it asks of the world as it is now.
"""

from otherside.core.decide import needs_capacity, objection
from otherside.core.policy import Policy
from otherside.orchestrator.ports import ConflictError, UnavailableError, World


def actuate(world: World, policy: Policy) -> str:
    """Move the writer if a committed intent asks for it and nothing speaks against it.

    Return what was done, or why nothing was, in one sentence. Outcomes of calls are never taken
    from the calls: the next look sees what became of them.
    """
    try:
        state = world.recall()
        facts = world.observe(state)
    except UnavailableError as error:
        return f"nothing done: {error}"
    said = []
    intent = state.intent
    against = objection(state, facts, policy)
    if intent is not None and against is None:
        try:
            world.claim(intent)
            # Read again right before the call: since the look, this function may have been
            # frozen for minutes, and the world may have moved on.
            if world.now_s() > intent.not_after_s:
                against = f"{intent.operation} expired before it could be carried out"
            else:
                world.move(intent)
                said.append(f"asked for a {intent.move} to {intent.target} as {intent.operation}")
        except ConflictError:
            against = f"{intent.operation} is being carried out already"
        except UnavailableError as error:
            against = f"{intent.operation}: {error}"
    if needs_capacity(state, facts):
        try:
            world.raise_capacity()
            said.append("raised the standby's capacity")
        except UnavailableError as error:
            said.append(f"the standby's capacity stays: {error}")
    if against is not None:
        said.append(f"no move: {against}")
    return "; ".join(said)
