"""What Aurora measures of itself: how far a secondary is behind, in the secondary's Region only."""

import asyncio

from otherside.twin.context import Ground
from otherside.twin.services.cloudwatch.metrics import Metrics
from otherside.twin.services.rds.postgres import Postgres
from otherside.twin.services.rds.provider import Aurora

EVERY_S = 60.0
NAMES = ("AuroraGlobalDBRPOLag", "AuroraGlobalDBReplicationLag", "AuroraGlobalDBProgressLag")


async def measure_lag(ground: Ground, aurora: Aurora, postgres: Postgres, metrics: Metrics) -> None:
    """Publish each secondary's lag for as long as the twin lives."""
    while True:
        await asyncio.sleep(EVERY_S)
        for whole in list(aurora.wholes().values()):
            if not whole.writer:
                continue
            writer = whole.member(whole.writer)
            for member in whole.members:
                if member.arn == whole.writer or not ground.geography.stands(member.region):
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
