"""The primary is lost while the control planes in us-east-1 are down."""

from otherside.drill.actions import InjectApiFault, LoseRegion
from otherside.drill.assertions import TAKEN_OVER, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="control-plane-down",
    title="The primary Region is lost while the Route 53 and IAM control planes are down.",
    expectation="The failover does not need them: DNS follows a metric in the standby's Region.",
    steps=(
        Step(InjectApiFault(name="control planes", region="global", mode="unavailable")),
        Step(LoseRegion("primary"), at_s=5),
    ),
    claims=(writable_again(), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
