"""Aurora's own metrics: how far a secondary lags, published in the secondary's Region only."""

import asyncio

from otherside.twin.context import TwinContext
from otherside.twin.services.cloudwatch.metrics import Metrics
from otherside.twin.services.rds.postgres import Postgres
from otherside.twin.services.rds.provider import RdsProvider

EVERY_S = 60.0
NAMES = ("AuroraGlobalDBRPOLag", "AuroraGlobalDBReplicationLag", "AuroraGlobalDBProgressLag")


async def measure_lag(
    context: TwinContext, rds: RdsProvider, postgres: Postgres, metrics: Metrics
) -> None:
    """Publish each secondary's replication lag until the twin stops."""
    while True:
        await asyncio.sleep(EVERY_S)
        for global_cluster in list(rds.global_clusters().values()):
            if not global_cluster.writer:
                continue
            writer = global_cluster.member(global_cluster.writer)
            for member in global_cluster.members:
                if member.arn == global_cluster.writer or not context.partitions.stands(
                    member.region
                ):
                    continue
                lag_s = await postgres.measure_lag(member.arn)
                if lag_s is None:
                    continue
                dimensions = {
                    "DBClusterIdentifier": str(member.cluster.db_cluster_identifier),
                    "SourceRegion": writer.region,
                }
                for name in NAMES:
                    metrics.put(member.region, "AWS/RDS", name, lag_s * 1000, dimensions)
