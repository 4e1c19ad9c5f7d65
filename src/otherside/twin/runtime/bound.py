"""`rds.global_db_rpo`: where every secondary is further behind than its bound, commits wait.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html#aurora-global-database-manage-recovery
"""

import asyncio
from typing import Any

from moto.rds.models import rds_backends

from otherside.twin.aws.aurora import Aurora, Member, Whole
from otherside.twin.data.postgres import Postgres
from otherside.twin.ground import Ground

LOOK_S = 5.0
PARAMETER = "rds.global_db_rpo"
LEAST_S = 20.0


async def hold_to_bound(ground: Ground, aurora: Aurora, postgres: Postgres) -> None:
    """Hold commits back while a bound is exceeded, for as long as the twin lives."""
    held: set[str] = set()
    while True:
        await asyncio.sleep(LOOK_S)
        for whole in list(aurora.wholes().values()):
            writer = whole.member(whole.writer) if whole.writer else None
            if writer is None or not ground.geography.stands(writer.region):
                continue
            bound_s = bound_of(ground.account, writer)
            over = bound_s is not None and await _exceeded(whole, postgres, bound_s)
            if over is (writer.arn in held):
                continue
            await postgres.hold_commits(writer.arn, hold=over)
            (held.add if over else held.discard)(writer.arn)
            text = "commits wait for a secondary" if over else "commits wait no more"
            ground.tell("database", writer.region, f"{PARAMETER} of {bound_s} s: {text}")


def bound_of(account: str, member: Member) -> float | None:
    """Return the bound that a cluster's parameter group sets, in seconds, or `None`."""
    name = str(getattr(member.cluster, "parameter_group", None) or "")
    groups: Any = rds_backends[account][member.region].db_cluster_parameter_groups
    group = groups.get(name) if name else None
    value = group.parameters.get(PARAMETER, {}).get("ParameterValue") if group else None
    return max(LEAST_S, float(value)) if value not in (None, "", "-1") else None


async def _exceeded(whole: Whole, postgres: Postgres, bound_s: float) -> bool:
    """Tell whether no secondary is within the bound; one that cannot be asked is not."""
    lags = [await postgres.measure_lag(one.arn) for one in whole.members if one.arn != whole.writer]
    return bool(lags) and all(lag is None or lag > bound_s for lag in lags)
