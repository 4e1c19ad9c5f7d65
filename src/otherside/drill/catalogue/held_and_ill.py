"""The standby's targets are unhealthy while the latch holds users there."""

from otherside.drill.actions import LoseRegion, RestoreRegion, StartUnit, StopUnit
from otherside.drill.assertions import SAFE, moved, reached, users_stay_at, writer_ends_at
from otherside.drill.conditions import every, later, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="held-and-ill",
    title="After a failover the primary Region returns, and the standby's application fails.",
    expectation="Only the latch directs users: none are sent back to the old primary.",
    may_exceed="The standby's application is broken until somebody repairs it.",
    steps=(
        Step(LoseRegion("primary")),
        Step(RestoreRegion("primary"), at_s=10, when=phase("failed-over")),
        Step(StopUnit("standby", "app"), at_s=60, when=phase("failed-over")),
        Step(StartUnit("standby", "app"), at_s=120, when=phase("failed-over")),
    ),
    claims=(
        reached("failed-over"),
        moved(1),
        writer_ends_at("standby"),
        users_stay_at("standby", phase("failed-over")),
        *SAFE,
    ),
    stop_when=every(
        served_for(30, later(130, phase("failed-over"))), later(160, phase("failed-over"))
    ),
    lasts_s=900,
)
