"""The standby's database instances are deleted, and then the primary is lost."""

from otherside.drill.actions import DeleteInstance, LoseRegion
from otherside.drill.assertions import NOTHING_MOVED, never_reached, told_people
from otherside.drill.conditions import later
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="headless-standby",
    title="The standby's database instances were deleted; then the primary Region is lost.",
    expectation="Nothing to promote: the orchestrator never calls Aurora, and people are notified.",
    may_exceed="Nothing can be promoted before a person creates an instance.",
    steps=(
        Step(DeleteInstance("standby")),
        Step(LoseRegion("primary"), at_s=60),
    ),
    claims=(
        NOTHING_MOVED,
        never_reached("promote-intent", "promoting"),
        told_people("ALARM"),
    ),
    stop_when=later(330),
    lasts_s=330,
)
