"""Somebody points Route 53's health check at a page that is not there."""

from otherside.core.verdict import Verdict
from otherside.drill.claims import STAYED, decided, writable_again
from otherside.drill.moments import WATCHED_S, later
from otherside.drill.scenario import Scenario, step

SCENARIO = Scenario(
    name="broken-probe",
    title="Somebody points Route 53's health check at a page that is not there.",
    expects="DNS leads users to the standby, which writes to the primary; nothing is moved.",
    steps=(step("misdirect", path="/no-such-page"),),
    claims=(writable_again(60), decided(Verdict.PROBE_FAULT), *STAYED),
    enough=later(WATCHED_S),
    lasts_s=WATCHED_S,
    calm=True,
)
