"""Every instance of the primary is replaced at once."""

from otherside.drill.actions import RefreshInstances
from otherside.drill.assertions import STAYED, never_reached, writable_again
from otherside.drill.conditions import later, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="instance-refresh",
    title="Every instance of the primary is replaced at once: new image, retirement or lost zone.",
    expectation="The database is healthy and new instances start: it may be watched, not moved.",
    steps=(Step(RefreshInstances("primary")),),
    claims=(
        writable_again(),
        never_reached("fencing", "promote-intent", "promoting"),
        *STAYED,
    ),
    stop_when=served_for(60, later(200)),
    lasts_s=500,
)
