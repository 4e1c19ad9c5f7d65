"""The primary is lost, and the orchestrator's functions are killed phase by phase."""

from otherside.drill.assertions import TAKEN_OVER, reached
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, step

SCENARIO = Scenario(
    name="functions-killed",
    title="The primary Region is lost, and the orchestrator's functions are killed at each step.",
    expectation="The next tick resumes where the last one stopped; the writer moves once.",
    steps=(
        step("lose", side="primary"),
        step("kill", role="decider", when=phase("suspect")),
        step("kill", role="decider", when=phase("fencing")),
        step("kill", role="actuator", when=phase("promote-intent")),
        step("kill", role="decider", when=phase("promote-intent")),
        step("kill", role="decider", when=phase("promoting")),
        step("kill", role="decider", when=phase("verify")),
        step("kill", role="decider", when=phase("shift")),
    ),
    claims=(reached("suspect", "fencing", "verify", "failed-over"), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=1200,
)
