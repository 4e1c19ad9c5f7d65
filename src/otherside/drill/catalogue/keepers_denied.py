"""DynamoDB refuses the primary's keepers, by a policy that is wrong."""

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
    title="A policy that is wrong denies the primary's instances the state table.",
    expectation="A refusal is not an outage: their lease expires, and no pledge extends it.",
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
