"""Two of the three Regions are lost, and an operator uses break-glass."""

from otherside.drill.actions import GrantByHand, HoldLatch, LoseRegion, MoveByHand
from otherside.drill.assertions import SAFE, moved, served_in_the_end, users_end_at, writer_ends_at
from otherside.drill.conditions import later, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="break-glass",
    title="The primary's and the witness's Regions are lost, so the state table has no quorum.",
    expectation="An operator moves the writer and breaks the glass; the standby serves all users.",
    may_exceed="Two Regions are gone, so a person has to act.",
    steps=(
        Step(LoseRegion("primary")),
        Step(LoseRegion("witness"), at_s=2),
        Step(MoveByHand(target="standby", lossy=True), at_s=60),
        Step(GrantByHand(3600), at_s=61),
        Step(HoldLatch(), at_s=62),
    ),
    claims=(
        served_in_the_end(),
        moved(1, by="provisioner"),
        writer_ends_at("standby"),
        users_end_at("standby"),
        *SAFE,
    ),
    stop_when=served_for(40, later(150)),
    lasts_s=420,
)
