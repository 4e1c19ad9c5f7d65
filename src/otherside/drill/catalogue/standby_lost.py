"""The standby's Region is lost."""

from otherside.drill.actions import LoseRegion
from otherside.drill.assertions import (
    NOT_A_CALL,
    SAFE,
    acknowledged_writes_survive,
    users_end_at,
    writable_again,
    writer_ends_at,
)
from otherside.drill.conditions import later
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="standby-lost",
    title="The standby's Region is lost, and the orchestrator with it.",
    expectation="Users notice nothing; no orchestrator is left to move the writer.",
    steps=(Step(LoseRegion("standby")),),
    claims=(
        writable_again(30),
        acknowledged_writes_survive(0),
        NOT_A_CALL,
        writer_ends_at("primary"),
        users_end_at("primary"),
        *SAFE,
    ),
    stop_when=later(150),
    lasts_s=150,
)
