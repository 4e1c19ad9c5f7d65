"""Stories of looks for tests to tell, with an actuator that does as it is asked."""

from dataclasses import replace

import pytest

from failover.decision.observation_builders import AUTO, HEALTHY, dead
from otherside.core.topology import Side
from otherside.failover.decision.decide import Decision, decide
from otherside.failover.decision.observation import (
    ACCEPTED,
    Attempt,
    Command,
    Move,
    MoveUnderWay,
    Progress,
)
from otherside.failover.decision.state import Phase, first

MOVED = replace(HEALTHY, writer=Side.STANDBY, resynced=False)
MOVING = MoveUnderWay(kind=Move.FAILOVER, target=Side.STANDBY, progress=Progress.MOVING)


class StateBuilder:
    """A sequence of looks, five seconds apart, and an actuator that calls whenever it is asked."""

    def __init__(self, policy=AUTO, answer=ACCEPTED):
        self.state = replace(first(0.0), revision=1, anchored=True)  # the first day is over
        self.policy, self.now_s = policy, 0.0
        self.decisions: list[Decision] = []
        self.answer, self.attempts = answer, {}

    def look(self, make, **more):
        """Look once."""
        self.now_s += 5.0
        epoch = f"{self.state.epoch}."
        known = tuple(attempt for name, attempt in self.attempts.items() if name.startswith(epoch))
        seen = make(self.now_s, **{"attempts": known, **more})
        decision = decide(self.state, seen, self.policy)
        self.state = decision.state
        if decision.move is not None and self.answer != "nobody":
            name = decision.move.operation
            called = self.answer != "claimed"  # and then it was too late to call
            answer = self.answer if called else None
            self.attempts[name] = Attempt(operation=name, called=called, answer=answer)
        self.decisions.append(decision)
        return decision

    def until(self, phase, make, *, looks=60, **more):
        """Look until a phase is reached."""
        for _ in range(looks):
            if self.look(make, **more).state.phase is phase:
                return self.decisions[-1]
        return pytest.fail(f"{self.state.phase}: {self.state.reason}")

    def order(self, order, make, **more):
        """Give an order for the present revision, and look."""
        command = Command(order=order, revision=self.state.revision, author="ada", at_s=self.now_s)
        return self.look(make, command=command, **more)

    @property
    def phases(self):
        """Return the phases that were passed through, in order."""
        found = []
        for decision in self.decisions:
            if not found or found[-1] is not decision.state.phase:
                found.append(decision.state.phase)
        return found


def failed_over():
    """Tell the story of a lost Region up to its end."""
    builder = StateBuilder()
    builder.until(Phase.PROMOTE_INTENT, dead)
    builder.look(dead, database=replace(HEALTHY, move=MOVING))
    builder.look(dead, database=MOVED)
    builder.look(dead, database=MOVED, write_verified=True)
    builder.look(dead, database=MOVED, users_on=Side.STANDBY)
    return builder
