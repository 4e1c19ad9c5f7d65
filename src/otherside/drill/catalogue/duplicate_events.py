"""The primary is lost, and duplicate and late alarm events arrive."""

from otherside.drill.actions import InvokeFunction, LoseRegion
from otherside.drill.assertions import TAKEN_OVER, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="duplicate-events",
    title="The primary Region is lost; its alarm events arrive late and five times each.",
    expectation="Events only wake the decider and prove nothing: one chain of revisions, one move.",
    steps=(
        Step(LoseRegion("primary")),
        Step(InvokeFunction(role="decider", times=5), at_s=5),
        Step(InvokeFunction(role="decider", times=5), when=phase("fencing")),
        Step(InvokeFunction(role="decider", times=5), when=phase("promoting")),
        Step(InvokeFunction(role="decider", times=5), when=phase("verify")),
    ),
    claims=(writable_again(), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
