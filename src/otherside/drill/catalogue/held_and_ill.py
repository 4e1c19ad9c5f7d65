"""The standby's targets are unhealthy while the latch holds users there."""

from otherside.drill.assertions import SAFE, moved, reached, users_stay_at, writer_ends_at
from otherside.drill.conditions import every, later, phase, served_for
from otherside.drill.scenario import Scenario, step

SCENARIO = Scenario(
    name="held-and-ill",
    title="After a failover the primary Region returns, and the standby's application fails.",
    expectation="Only the latch directs users: none are sent back to the old primary.",
    steps=(
        step("lose", side="primary"),
        step("restore", side="primary", when=phase("failed-over"), at_s=10),
        step("stop", side="standby", unit="app", when=phase("failed-over"), at_s=60),
        step("start", side="standby", unit="app", when=phase("failed-over"), at_s=120),
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
