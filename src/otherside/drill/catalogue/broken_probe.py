"""A Route 53 health check is pointed at a page that does not exist."""

from otherside.drill.actions import BreakHealthCheckPath
from otherside.drill.assertions import STAYED, decided, writable_again
from otherside.drill.conditions import SEEN_S, WATCHED_S, every, later, seen
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.verdict import Verdict

SCENARIO = Scenario(
    name="broken-probe",
    title="A mistaken change points Route 53's health check at a page that does not exist.",
    expectation="DNS sends users to the standby, which writes to the primary; nothing is moved.",
    steps=(Step(BreakHealthCheckPath("/no-such-page")),),
    claims=(writable_again(60), decided(Verdict.PROBE_FAULT), *STAYED),
    stop_when=every(later(WATCHED_S), seen(Verdict.PROBE_FAULT)),
    lasts_s=SEEN_S,
    reusable=True,
)
