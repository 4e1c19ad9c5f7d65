"""A wrong policy makes DynamoDB refuse the primary's lease agents."""

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
from otherside.drill.scenario import Scenario, step

SCENARIO = Scenario(
    name="keepers-denied",
    title="A wrong policy denies the primary's instances access to the state table.",
    expectation="A refusal is not an outage: the lease expires, and no pledge extends it.",
    steps=(
        step("fault", name="denied", source="primary", service="dynamodb", mode="deny"),
        step("heal", name="denied", at_s=100),
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
