"""The standby's Region, with the orchestrator in it, is cut off from everything else."""

from otherside.drill.actions import IsolateRegion
from otherside.drill.assertions import (
    NOT_A_CALL,
    SAFE,
    acknowledged_writes_survive,
    users_end_at,
    writable_again,
    writer_ends_at,
)
from otherside.drill.conditions import WATCHED_S, later
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="standby-isolated",
    title="The standby's Region, with the orchestrator in it, is cut off from everything else.",
    expectation="The orchestrator has no quorum, so it decides nothing. Users notice nothing.",
    steps=(Step(IsolateRegion("standby")),),
    claims=(
        writable_again(30),
        acknowledged_writes_survive(0),
        NOT_A_CALL,
        writer_ends_at("primary"),
        users_end_at("primary"),
        *SAFE,
    ),
    stop_when=later(WATCHED_S),
    lasts_s=WATCHED_S,
)
