"""The primary is lost during a rotation of the master secret."""

from otherside.drill.actions import LoseRegion, RotateSecret
from otherside.drill.assertions import TAKEN_OVER, writable_again
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="rotation-meanwhile",
    title="The primary Region is lost during a rotation of the master secret.",
    expectation="Applications use tokens, so the failover does not wait for the secret.",
    steps=(Step(RotateSecret()), Step(LoseRegion("primary"), at_s=3)),
    claims=(writable_again(), *TAKEN_OVER),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=600,
)
