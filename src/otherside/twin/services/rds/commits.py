"""`rds.global_db_rpo`: commits wait while every secondary lags more than it allows.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

import asyncio

from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.services.base import ServiceProvider, api_error, operation
from otherside.twin.services.rds.cluster_parameters import parameter
from otherside.twin.services.rds.postgres import Postgres
from otherside.twin.services.rds.provider import GlobalCluster, GlobalClusterMember, RdsProvider

PARAMETER = "rds.global_db_rpo"
LEAST_S, MOST_S = 20, 2_147_483_647
OFF = "-1"
LOOK_S = 1.0


class Commits(ServiceProvider):
    """Holds a writer's commits until one secondary has caught up."""

    def __init__(self, context: TwinContext, rds: RdsProvider, postgres: Postgres) -> None:
        self._context, self._rds, self._postgres = context, rds, postgres
        self._replicated_s: dict[str, float] = {}
        """The time up to which each secondary was last known to hold everything."""

    @operation("rds", "ModifyDBClusterParameterGroup")
    def check_parameter(self, _call: ApiCall, params: Params) -> None:
        """Refuse a value that AWS does not accept, and leave the rest to moto."""
        for given in params.get("Parameters") or ():
            text = str(given.get("ParameterValue"))
            if given.get("ParameterName") == PARAMETER and not _fits(text):
                message = f"Invalid parameter value: {text} for: {PARAMETER} allowed values are: "
                raise api_error("InvalidParameterValue", f"{message}{OFF},{LEAST_S}-{MOST_S}")
        raise LeaveToMotoError

    async def run(self) -> None:
        """Check every global database until the twin stops."""
        while True:
            await asyncio.sleep(LOOK_S)
            for global_cluster in list(self._rds.global_clusters().values()):
                if global_cluster.writer and global_cluster.move is None:
                    await self._look(global_cluster)

    async def _look(self, global_cluster: GlobalCluster) -> None:
        limit_s = self._limit_s(global_cluster.member(global_cluster.writer))
        others = [
            member for member in global_cluster.members if member.arn != global_cluster.writer
        ]
        behind_s = [await self._behind_s(other) for other in others] if limit_s else []
        hold = bool(behind_s) and limit_s is not None and min(behind_s) > limit_s
        for other in others:
            await self._postgres.hold_commits(other.arn, held=False)
        if await self._postgres.hold_commits(global_cluster.writer, held=hold):
            why = f"every secondary is more than {limit_s} s behind" if hold else "one caught up"
            text = f"{global_cluster.name}: commits {'wait' if hold else 'go on'}: {why}"
            self._context.emit(
                "database", global_cluster.member(global_cluster.writer).region, text
            )

    def _limit_s(self, writer: GlobalClusterMember) -> int | None:
        """Return the limit that the writer's parameter group sets, if any."""
        text = parameter(writer.cluster, PARAMETER) or OFF
        return None if text == OFF else int(text)

    async def _behind_s(self, member: GlobalClusterMember) -> float:
        """Return how far a secondary lags, even if it can no longer be queried."""
        now_s = self._context.now_s
        lag_s = None
        stands = self._context.partitions.stands(member.region)
        if stands and member.connected and self._postgres.server(member.arn) is not None:
            lag_s = await self._postgres.measure_lag(member.arn)
        if lag_s is not None:
            self._replicated_s[member.arn] = now_s - lag_s
        return now_s - self._replicated_s.setdefault(member.arn, now_s)


def _fits(text: str) -> bool:
    return text == OFF or (text.isdigit() and LEAST_S <= int(text) <= MOST_S)
