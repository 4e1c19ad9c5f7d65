"""The standby runs one instance for each zone, and has to serve everybody."""

from otherside.drill.assertions import TAKEN_OVER, called, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, step

SCENARIO = Scenario(
    name="standby-too-small",
    title="The standby runs one instance when the primary Region is lost.",
    expectation="Its capacity is raised to what serves everybody before users are held there.",
    prepare=(step("shrink", side="standby"),),
    steps=(step("lose", side="primary"),),
    claims=(
        writable_again(),
        called("UpdateAutoScalingGroup", "the standby's capacity is raised", by="actuator"),
        *TAKEN_OVER,
    ),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
