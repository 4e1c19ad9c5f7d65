"""The link between primary and standby is cut; users reach both."""

from otherside.drill.actions import CutPath
from otherside.drill.assertions import STAYED, decided, writable_again
from otherside.drill.conditions import SEEN_S, WATCHED_S, every, later, seen
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.verdict import Verdict

SCENARIO = Scenario(
    name="replication-cut",
    title="The link between primary and standby is cut in both directions; users reach both.",
    expectation="Nothing is moved, because moving would risk a split brain. Users notice nothing.",
    steps=(
        Step(CutPath(source="primary", target="standby")),
        Step(CutPath(source="standby", target="primary")),
    ),
    claims=(writable_again(30), decided(Verdict.REPLICATION_CUT), *STAYED),
    stop_when=every(later(WATCHED_S), seen(Verdict.REPLICATION_CUT)),
    lasts_s=SEEN_S,
    reusable=True,
)
