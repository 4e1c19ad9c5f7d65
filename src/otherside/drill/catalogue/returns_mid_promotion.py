"""The primary Region is lost and comes back during the standby's promotion."""

from otherside.drill.actions import LoseRegion, RestoreRegion
from otherside.drill.assertions import TAKEN_OVER, reached, told, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="returns-mid-promotion",
    title="The primary Region is lost and comes back during the standby's promotion.",
    expectation="Users stay on the standby; the old primary is rebuilt and rejoins as a secondary.",
    steps=(
        Step(LoseRegion("primary")),
        Step(RestoreRegion("primary"), at_s=20, when=phase("promoting")),
    ),
    claims=(
        writable_again(),
        reached("promoting", "verify", "failed-over", "rejoined"),
        told("RDS-EVENT-0241", "the old primary is rebuilt"),
        *TAKEN_OVER,
    ),
    stop_when=every(served_for(60, phase("failed-over")), phase("rejoined")),
    lasts_s=900,
)
