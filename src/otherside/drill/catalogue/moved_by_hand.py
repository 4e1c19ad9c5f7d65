"""The primary is lost, and an operator moves the writer from the console."""

from otherside.drill.assertions import (
    SAFE,
    moved,
    reached,
    said,
    told_people,
    users_end_at,
    writer_ends_at,
)
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, step

SCENARIO = Scenario(
    name="moved-by-hand",
    title="The primary is lost; meanwhile an operator moves the writer from the console.",
    expectation="The orchestrator halts and notifies; ordered to adopt, it holds users there.",
    steps=(
        step("lose", side="primary"),
        step("move_by_hand", target="standby", lossy=True, when=phase("suspect"), at_s=5),
        step("order", what="adopt", when=phase("halted"), at_s=260),
    ),
    claims=(
        reached("suspect", "halted", "verify", "failed-over"),
        said("somebody else"),
        told_people("ACTION NEEDED"),
        moved(1, by="provisioner"),
        writer_ends_at("standby"),
        users_end_at("standby"),
        *SAFE,
    ),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=900,
)
