"""One look at the world, and what it asks for: load, observe, decide, commit, act.

What woke us is never evidence. A crash at any line is mended by the next look: before the commit
nothing has happened, and after it the committed state asks again for whatever the world lacks.
"""

from otherside.core.decide import Decision, Policy, decide
from otherside.orchestrator.ports import ConflictError, UnavailableError, World


def reconcile(world: World, policy: Policy) -> Decision | None:
    """Take one look; return the decision, or `None` where nothing could be committed.

    Nothing is asked of the world that is not committed: a Region that is cut off from the majority
    can neither read nor commit, and so does nothing.
    """
    try:
        state = world.recall()
        decision = decide(state, world.observe(state), policy)
        if decision.changed:
            world.record(decision.state)
    except (ConflictError, UnavailableError):
        return None
    intent = decision.move
    try:
        # Read again right before the call: between the commit and here, this function may have
        # been frozen for minutes, and the world may have moved on.
        if intent is not None and world.now_s() <= intent.not_after_s:
            world.move(intent)
        world.tend(decision)
    except UnavailableError:
        return decision
    return decision
