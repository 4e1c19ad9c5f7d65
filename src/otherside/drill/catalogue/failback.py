"""The primary is lost, returns and is rebuilt; then service fails back to it."""

from otherside.drill.actions import GiveOrder, LoseRegion, RestoreRegion
from otherside.drill.assertions import (
    LOSS_AS_SAID,
    SAFE,
    acknowledged_writes_survive,
    moved,
    reached,
    users_end_at,
    writer_ends_at,
)
from otherside.drill.conditions import led_to, phase
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="failback",
    title="The primary Region is lost and comes back; in the end service fails back to it.",
    expectation="It rejoins; an operator signs off, waits for stability, then orders the failback.",
    may_exceed="An operator takes part at three points.",
    steps=(
        Step(LoseRegion("primary")),
        Step(RestoreRegion("primary"), at_s=30, when=phase("failed-over")),
        Step(GiveOrder("sign-reconciliation"), at_s=5, when=phase("rejoined")),
        Step(GiveOrder("switchover"), at_s=30, when=phase("failback-ready")),
    ),
    claims=(
        reached("failed-over", "rejoined", "failback-ready", "switching", "steady"),
        acknowledged_writes_survive(),
        LOSS_AS_SAID,
        moved(2),
        writer_ends_at("primary"),
        users_end_at("primary"),
        *SAFE,
    ),
    stop_when=led_to("primary", 30, phase("shift", times=2)),
    lasts_s=3000,
    settings={"stable_s": "60"},  # the configuration says a day
    speed_max=5,
)
