"""A bad release breaks the application on both sides."""

from otherside.drill.actions import StopUnit
from otherside.drill.assertions import STAYED, decided
from otherside.drill.conditions import SEEN_S, WATCHED_S, every, later, seen
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.verdict import Verdict

SCENARIO = Scenario(
    name="app-bug-both",
    title="A bad release breaks the application on both sides; the database stays up.",
    expectation="The orchestrator moves nothing, because a failover would not help.",
    may_exceed="Nothing that could be moved would help before the release is rolled back.",
    steps=(
        Step(StopUnit("primary", "app")),
        Step(StopUnit("standby", "app")),
    ),
    claims=(decided(Verdict.APP_BUG_BOTH), *STAYED),
    stop_when=every(later(WATCHED_S), seen(Verdict.APP_BUG_BOTH)),
    lasts_s=SEEN_S,
    reusable=True,
)
