"""Aurora carries out a failover, but its response is lost."""

from otherside.drill.actions import ClearApiFault, InjectApiFault, LoseRegion
from otherside.drill.assertions import TAKEN_OVER, writable_again
from otherside.drill.conditions import called, every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="answer-lost",
    title="The primary is lost; Aurora carries out the failover, but its response is lost.",
    expectation="The orchestrator finds that the failover happened and does not request it again.",
    may_exceed="The intent whose answer was lost has to expire before the next look.",
    steps=(
        Step(
            InjectApiFault(
                name="no answer",
                side="standby",
                service="rds",
                operation="FailoverGlobalCluster",
                mode="after",
            )
        ),
        Step(LoseRegion("primary")),
        Step(ClearApiFault("no answer"), at_s=60, when=called("FailoverGlobalCluster")),
    ),
    claims=(writable_again(360), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=900,
)
