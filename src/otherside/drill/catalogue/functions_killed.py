"""The primary is lost, and the orchestrator's functions are killed phase by phase."""

from otherside.drill.actions import KillFunction, LoseRegion
from otherside.drill.assertions import TAKEN_OVER, reached
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="functions-killed",
    title="The primary Region is lost, and the orchestrator's functions are killed at each step.",
    expectation="The next tick resumes where the last one stopped; the writer moves once.",
    may_exceed="Each kill costs up to a minute, until the next tick.",
    steps=(
        Step(LoseRegion("primary")),
        Step(KillFunction("decider"), when=phase("suspect")),
        Step(KillFunction("decider"), when=phase("fencing")),
        Step(KillFunction("actuator"), when=phase("promote-intent")),
        Step(KillFunction("decider"), when=phase("promote-intent")),
        Step(KillFunction("decider"), when=phase("promoting")),
        Step(KillFunction("decider"), when=phase("verify")),
        Step(KillFunction("decider"), when=phase("shift")),
    ),
    claims=(reached("suspect", "fencing", "verify", "failed-over"), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=1200,
)
