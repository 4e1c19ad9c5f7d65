"""A steady stack and a lost one, as `status` and the console read them."""

from dataclasses import replace

from operate.fake_account import tick
from otherside.core.topology import Side
from otherside.failover.decision.state import Phase, first
from otherside.operate.overview import (
    BackupCopy,
    CapacityNow,
    DatabaseMember,
    DatabaseNow,
    Overview,
)
from otherside.operate.reading import Fact

NOW = 10_000.0
REGIONS = {Side.PRIMARY: "us-east-2", Side.STANDBY: "us-west-2"}
TICK = tick(at_s=NOW - 3, reason="the verdict is healthy", lag_s=0.4)
CALM = Overview(
    application="orders-prod",
    at_s=NOW,
    regions=REGIONS,
    region="us-west-2",
    state=replace(first(NOW - 200), revision=2, anchored=True),
    next_step="nothing",
    in_the_way=(),
    lease={"side": Side.PRIMARY, "epoch": 0, "open": True},
    attempts=(),
    pulses={
        "primary#i-1": {"age_s": 2.0, "app_ok": True, "writes_ok": True, "reads_ok": True},
        "standby#i-2": {"age_s": 40.0, "app_ok": True, "writes_ok": False, "reads_ok": None},
    },
    revisions=({"event_id": "2", "phase": "steady", "reason": "[the] verdict is healthy"},),
    tick=Fact(value=TICK),
    database=Fact(value=DatabaseNow(writer="us-east-2", moving_to=None, status="available")),
    members={
        side: Fact(
            value=DatabaseMember(region=region, status="available", instances=2, version="17.9")
        )
        for side, region in REGIONS.items()
    },
    lag_history_s=Fact(value=[0.1, 0.2, 0.4]),
    users_on=Fact(value=Side.PRIMARY),
    addresses=Fact(value=["192.0.2.7"]),
    capacity={side: Fact(value=CapacityNow(in_service=2, desired=2, maximum=8)) for side in Side},
    backups={
        Side.PRIMARY: Fact(value=None),
        Side.STANDBY: Fact(value=BackupCopy(at_s=NOW - 7200, resource="arn")),
    },
)
LOST = replace(
    CALM,
    state=replace(CALM.state, phase=Phase.SUSPECT),
    tick=Fact(
        value=replace(TICK, signals={**TICK.signals, "heartbeat": "bad"}, failed=("the latch",))
    ),
    members={**CALM.members, Side.PRIMARY: Fact(missing="the primary's cluster: ReadTimeoutError")},
    lag_history_s=Fact(missing="the replication lag: AccessDenied"),
)
