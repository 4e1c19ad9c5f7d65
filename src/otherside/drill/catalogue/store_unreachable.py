"""The state table's endpoint in the primary's Region does not respond."""

from otherside.drill.actions import InjectApiFault
from otherside.drill.assertions import SAFE, acknowledged_writes_survive, served_in_the_end
from otherside.drill.conditions import later, served_for
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="store-unreachable",
    title="DynamoDB does not respond in the primary's Region; the other two Regions work.",
    expectation="Instances that cannot renew the lease stop; the others continue. No split brain.",
    may_exceed="Instances that cannot renew the lease stop until the table answers.",
    steps=(
        Step(
            InjectApiFault(name="dynamodb", side="primary", service="dynamodb", mode="unavailable")
        ),
    ),
    claims=(served_in_the_end(), acknowledged_writes_survive(), *SAFE),
    stop_when=served_for(60, later(330)),
    lasts_s=700,
)
