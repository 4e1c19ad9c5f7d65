"""The primary is lost during a freeze that an operator ordered."""

from otherside.drill.actions import GiveOrder, LoseRegion
from otherside.drill.assertions import NOTHING_MOVED, reached, stopped_by, told_people
from otherside.drill.conditions import later, phase
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.gates import Obstacle

SCENARIO = Scenario(
    name="frozen",
    title="The primary Region is lost during a freeze that an operator ordered.",
    expectation="Nothing moves; a notice says why and that the orchestrator waits for an operator.",
    may_exceed="A person ordered that nothing moves.",
    prepare=(Step(GiveOrder("freeze", 3600)),),
    steps=(Step(LoseRegion("primary")),),
    claims=(
        reached("suspect", "blocked"),
        # The simulator plays the order as a window of the configuration.
        stopped_by(Obstacle.FROZEN_BY_ORDER, Obstacle.FROZEN_BY_CONFIGURATION),
        told_people("ACTION NEEDED"),
        NOTHING_MOVED,
    ),
    stop_when=later(60, phase("blocked")),
    lasts_s=400,
)
