"""The sides run different engine versions when the primary is lost."""

from otherside.drill.actions import LoseRegion, SetEngineVersion
from otherside.drill.assertions import NOTHING_MOVED, reached, stopped_by, told_people
from otherside.drill.conditions import later, phase
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.gates import Obstacle

SCENARIO = Scenario(
    name="version-skew",
    title="Only the standby has been upgraded; then the primary Region is lost.",
    expectation="Aurora would refuse, so the orchestrator does not try and asks an operator.",
    may_exceed="Aurora would refuse; a person has to upgrade a side.",
    steps=(
        Step(SetEngineVersion("standby")),
        Step(LoseRegion("primary"), at_s=30),
    ),
    claims=(
        reached("suspect", "blocked"),
        stopped_by(Obstacle.VERSION_SKEW),
        told_people("ACTION NEEDED"),
        NOTHING_MOVED,
    ),
    stop_when=later(60, phase("blocked")),
    lasts_s=400,
)
