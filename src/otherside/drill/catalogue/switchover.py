"""A planned switchover to the standby, and back."""

from otherside.drill.actions import GiveOrder
from otherside.drill.assertions import (
    SAFE,
    acknowledged_writes_survive,
    moved,
    reached,
    users_end_at,
    writable_again,
    writer_ends_at,
)
from otherside.drill.conditions import led_to, phase
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="switchover",
    title="A planned switchover to the standby under load, and back again.",
    expectation="No acknowledged write is lost; writes pause twice, once per switchover.",
    steps=(
        Step(GiveOrder("switchover")),
        Step(GiveOrder("switchover"), at_s=30, when=phase("failback-ready")),
    ),
    claims=(
        reached("switch-precheck", "switching", "failback-ready", "switching", "steady"),
        writable_again(120),
        acknowledged_writes_survive(0),
        moved(2),
        writer_ends_at("primary"),
        users_end_at("primary"),
        *SAFE,
    ),
    stop_when=led_to("primary", 30, phase("shift", times=2)),
    lasts_s=1200,
    speed_max=5,
)
