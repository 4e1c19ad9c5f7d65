"""The witness Region is lost: one of the three that hold the state table."""

from otherside.drill.actions import LoseRegion
from otherside.drill.assertions import STAYED, users_end_at, writable_again
from otherside.drill.conditions import later
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="witness-lost",
    title="The witness Region is lost: one of the three that hold the state table.",
    expectation="Two of three Regions are a quorum. Users notice nothing and nothing is moved.",
    steps=(Step(LoseRegion("witness")),),
    claims=(writable_again(30), users_end_at("primary"), *STAYED),
    stop_when=later(150),
    lasts_s=150,
    reusable=True,
)
