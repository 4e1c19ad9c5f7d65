"""Events no longer reach the orchestrator, and then the primary is lost."""

from otherside.drill.actions import DisableEventRules, LoseRegion
from otherside.drill.assertions import TAKEN_OVER, reached, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="alarm-path-cut",
    title="Events no longer reach the orchestrator; then the primary Region is lost.",
    expectation="The scheduled tick alone detects the loss, at most a minute later.",
    prepare=(Step(DisableEventRules()),),
    steps=(Step(LoseRegion("primary")),),
    claims=(writable_again(), reached("suspect", "failed-over"), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
