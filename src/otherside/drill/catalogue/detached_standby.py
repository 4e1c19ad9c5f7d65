"""The standby is removed from the global database, and then the primary is lost."""

from otherside.drill.actions import DetachCluster, LoseRegion
from otherside.drill.assertions import (
    NOT_A_CALL,
    entered_by,
    never_reached,
    reached,
    told_people,
)
from otherside.drill.conditions import every, later, phase
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.transitions import Event

SCENARIO = Scenario(
    name="detached-standby",
    title="An operator removes the standby from the global database; later the primary is lost.",
    expectation="Nothing to promote: the orchestrator halts, notifies at once, never calls Aurora.",
    may_exceed="Nothing can be promoted before a person restores the pair.",
    steps=(
        Step(DetachCluster("standby")),
        Step(LoseRegion("primary"), at_s=30, when=phase("halted")),
    ),
    claims=(
        reached("halted"),
        entered_by(Event.STANDBY_DETACHED),
        told_people("ACTION NEEDED"),
        never_reached("fencing", "promote-intent", "promoting"),
        NOT_A_CALL,
    ),
    stop_when=every(later(330), later(200, phase("halted"))),
    lasts_s=600,
)
