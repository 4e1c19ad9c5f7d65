"""The primary is lost during a backup of the standby."""

from otherside.drill.actions import LoseRegion, OccupyCluster
from otherside.drill.assertions import TAKEN_OVER, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="backed-up-meanwhile",
    title="The primary Region is lost during the standby's nightly backup.",
    expectation="AWS documents no refusal for `backing-up`: Aurora accepts and fails over.",
    steps=(
        Step(OccupyCluster(side="standby", status="backing-up", for_s=900)),
        Step(LoseRegion("primary"), at_s=5),
    ),
    claims=(writable_again(), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
