"""The primary is lost while the standby is scaled down to one instance."""

from otherside.drill.actions import LoseRegion, ReduceCapacity
from otherside.drill.assertions import TAKEN_OVER, called, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="standby-too-small",
    title="The primary Region is lost while the standby runs only one instance.",
    expectation="The orchestrator scales the standby to full capacity before it holds users there.",
    prepare=(Step(ReduceCapacity("standby")),),
    steps=(Step(LoseRegion("primary")),),
    claims=(
        writable_again(),
        called("UpdateAutoScalingGroup", "the standby's capacity is raised", by="actuator"),
        *TAKEN_OVER,
    ),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
