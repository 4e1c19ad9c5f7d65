"""A wrong policy makes DynamoDB refuse the primary's lease agents."""

from otherside.drill.actions import ClearApiFault, InjectApiFault
from otherside.drill.assertions import (
    NO_SPLIT_BRAIN,
    WHOLE,
    acknowledged_writes_survive,
    moved,
    paused,
    writable_again,
    writer_ends_at,
)
from otherside.drill.conditions import later
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="agents-denied",
    title="A wrong policy denies the primary's instances access to the state table.",
    expectation="A refusal is not an outage: the lease expires, and no pledge extends it.",
    steps=(
        Step(InjectApiFault(name="denied", source="primary", service="dynamodb", mode="deny")),
        Step(ClearApiFault("denied"), at_s=100),
    ),
    claims=(
        paused(60),
        writable_again(120),
        acknowledged_writes_survive(0),
        moved(0),
        writer_ends_at("primary"),
        WHOLE,
        NO_SPLIT_BRAIN,
    ),
    stop_when=later(160),
    lasts_s=160,
)
