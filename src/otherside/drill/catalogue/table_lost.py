"""The state table is emptied while the standby serves all users."""

from otherside.drill.actions import GiveOrder, LoseRegion, LoseStateTable
from otherside.drill.assertions import (
    SAFE,
    entered_by,
    moved,
    reached,
    served_in_the_end,
    told_people,
    users_end_at,
    writer_ends_at,
)
from otherside.drill.conditions import later, phase, served_for, told
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.transitions import Event

HALTED = told("halted: the database remembers")
"""Detected by the notice, because the revisions of an empty table start over."""

SCENARIO = Scenario(
    name="table-lost",
    title="After a failover the state table is lost and recreated empty.",
    expectation="The orchestrator halts instead of starting anew; users stay; an operator adopts.",
    may_exceed="A person has to adopt the writer after the table is lost.",
    steps=(
        Step(LoseRegion("primary")),
        Step(LoseStateTable(), at_s=20, when=phase("failed-over")),
        Step(GiveOrder("adopt"), at_s=60, when=HALTED),
    ),
    claims=(
        reached("failed-over", "halted"),
        served_in_the_end(),
        entered_by(Event.TABLE_LOST),
        told_people("ACTION NEEDED"),
        moved(1),
        writer_ends_at("standby"),
        users_end_at("standby"),
        *SAFE,
    ),
    stop_when=served_for(30, later(200, HALTED)),
    lasts_s=900,
)
