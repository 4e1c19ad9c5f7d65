"""The control planes in us-east-1 are down while the primary is lost."""

from otherside.drill.assertions import TAKEN_OVER, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, step

SCENARIO = Scenario(
    name="control-plane-down",
    title="Route 53's and IAM's control planes are down while the primary Region is lost.",
    expectation="Nothing of them is needed: DNS follows a metric in the standby's Region.",
    steps=(
        step("fault", name="control planes", region="global", mode="unavailable"),
        step("lose", side="primary", at_s=5),
    ),
    claims=(writable_again(), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
