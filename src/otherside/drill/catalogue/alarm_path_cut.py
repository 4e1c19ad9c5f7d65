"""No event reaches the orchestrator any more, and then the primary is lost."""

from otherside.drill.assertions import TAKEN_OVER, reached, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, step

SCENARIO = Scenario(
    name="alarm-path-cut",
    title="No event reaches the orchestrator any more; then the primary Region is lost.",
    expectation="The tick alone finds it, a minute later at the most.",
    prepare=(step("deafen"),),
    steps=(step("lose", side="primary"),),
    claims=(writable_again(), reached("suspect", "failed-over"), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
