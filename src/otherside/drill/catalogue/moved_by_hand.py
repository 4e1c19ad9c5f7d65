"""The primary is lost, and an operator moves the writer from the console."""

from otherside.drill.actions import GiveOrder, LoseRegion, MoveByHand
from otherside.drill.assertions import (
    SAFE,
    entered_by,
    moved,
    reached,
    told_people,
    users_end_at,
    writer_ends_at,
)
from otherside.drill.conditions import every, phase, served_for
from otherside.drill.scenario import Scenario, Step
from otherside.failover.decision.transitions import Event

SCENARIO = Scenario(
    name="moved-by-hand",
    title="The primary is lost; meanwhile an operator moves the writer from the console.",
    expectation="The orchestrator halts and notifies; ordered to adopt, it holds users there.",
    may_exceed="A person moved the writer and has to say that this was meant.",
    steps=(
        Step(LoseRegion("primary")),
        Step(MoveByHand(target="standby", lossy=True), at_s=5, when=phase("suspect")),
        Step(GiveOrder("adopt"), at_s=260, when=phase("halted")),
    ),
    claims=(
        reached("suspect", "halted", "verify", "failed-over"),
        entered_by(Event.EXTERNAL_MOVE),
        told_people("ACTION NEEDED"),
        moved(1, by="provisioner"),
        writer_ends_at("standby"),
        users_end_at("standby"),
        *SAFE,
    ),
    stop_when=every(served_for(30, phase("verify")), phase("failed-over")),
    lasts_s=900,
)
