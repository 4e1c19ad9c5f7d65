"""Replication falls 30 seconds behind, and then the primary is lost."""

from otherside.drill.actions import AddLatency, GiveOrder, LoseRegion
from otherside.drill.assertions import (
    LOSS_AS_SAID,
    SAFE,
    moved,
    reached,
    told_people,
    users_end_at,
    writer_ends_at,
)
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="lagging-then-lost",
    title="Replication falls 30 seconds behind; then the primary Region is lost.",
    expectation="The loss would exceed the configured limit: an operator is asked, and approves.",
    may_exceed="An operator accepted the loss that the orchestrator had stated.",
    steps=(
        Step(AddLatency(source="primary", target="standby", delay_s=30)),
        Step(LoseRegion("primary"), at_s=90),
        Step(GiveOrder("approve"), at_s=20, when=phase("await-approval")),
    ),
    claims=(
        reached("suspect", "await-approval", "fencing", "failed-over"),
        told_people("ACTION NEEDED"),
        LOSS_AS_SAID,
        moved(1),
        writer_ends_at("standby"),
        users_end_at("standby"),
        *SAFE,
    ),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=900,
)
