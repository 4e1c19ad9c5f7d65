"""The primary Region is cut off from everything for 43 seconds."""

from otherside.drill.actions import IsolateRegion, ReconnectRegion
from otherside.drill.assertions import STAYED, never_reached, writable_again
from otherside.drill.conditions import later, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="blip",
    title="The primary Region is cut off from everything for 43 seconds.",
    expectation="Service recovers with the Region; the orchestrator may suspect but not move.",
    steps=(
        Step(IsolateRegion("primary")),
        Step(ReconnectRegion("primary"), at_s=43),
    ),
    claims=(
        writable_again(),
        never_reached("fencing", "promote-intent", "promoting"),
        *STAYED,
    ),
    stop_when=served_for(60, later(43)),
    lasts_s=340,
    reusable=True,
)
