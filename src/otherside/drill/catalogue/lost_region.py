"""The primary Region disappears at once and does not come back."""

from otherside.drill.actions import LoseRegion
from otherside.drill.assertions import (
    FUNCTIONS_RUN,
    TAKEN_OVER,
    decided,
    reached,
    readable_again,
    writable_again,
)
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.verdict import Verdict

SCENARIO = Scenario(
    name="lost-region",
    title="The primary Region disappears at once and does not come back.",
    expectation="The standby is promoted automatically and serves all users.",
    steps=(Step(LoseRegion("primary")),),
    claims=(
        writable_again(),
        readable_again(),
        decided(Verdict.REGION_DEAD),
        reached("suspect", "fencing", "promote-intent", "verify", "shift", "failed-over"),
        FUNCTIONS_RUN,
        *TAKEN_OVER,
    ),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
