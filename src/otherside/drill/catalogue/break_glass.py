"""Two of the three Regions are gone, and a person breaks the glass."""

from otherside.drill.assertions import SAFE, moved, served_in_the_end, users_end_at, writer_ends_at
from otherside.drill.conditions import later, served_for
from otherside.drill.scenario import Scenario, step

SCENARIO = Scenario(
    name="break-glass",
    title="The primary's and the witness's Regions are lost, so that nobody can commit anything.",
    expectation="A person moves the writer, breaks the glass, and the standby serves everyone.",
    steps=(
        step("lose", side="primary"),
        step("lose", side="witness", at_s=2),
        step("move_by_hand", target="standby", lossy=True, at_s=60),
        step("break_glass", for_s=3600, at_s=61),
        step("hold", at_s=62),
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
