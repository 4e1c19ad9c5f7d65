"""The primary's database stops for good; the rest of the Region keeps running."""

from otherside.drill.actions import StopDatabase
from otherside.drill.assertions import TAKEN_OVER, decided, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.verdict import Verdict

SCENARIO = Scenario(
    name="database-only",
    title="The primary's database stops for good; the rest of the Region keeps running.",
    expectation="Aurora gets two minutes to replace the writer; then the standby is promoted.",
    may_exceed="Aurora gets two minutes to replace its writer inside the Region first.",
    steps=(Step(StopDatabase("primary")),),
    claims=(writable_again(480), decided(Verdict.WRITER_DEAD), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=900,
)
