"""The application fails in the primary only."""

from otherside.drill.actions import StopUnit
from otherside.drill.assertions import (
    STAYED,
    alarm_follows,
    never_reached,
    woken_by,
    writable_again,
)
from otherside.drill.conditions import later, told
from otherside.drill.scenario import Scenario, Step

SCENARIO = Scenario(
    name="app-fault-primary",
    title="The application fails in the primary only; its database stays up.",
    expectation="DNS sends users to the standby, which writes across the peering; no failover.",
    steps=(Step(StopUnit("primary", "app"), at_s=60),),  # its alarm must report OK first
    claims=(
        writable_again(),
        never_reached("fencing", "promote-intent", "promoting"),
        alarm_follows("primary-no-healthy-host"),
        woken_by("alarms"),
        *STAYED,
    ),
    stop_when=later(30, told("primary-no-healthy-host is ALARM")),
    lasts_s=450,
    reusable=True,
)
