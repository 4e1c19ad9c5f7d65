"""Database logs, sent to CloudWatch Logs if a cluster exports them.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.CloudWatch.html
"""

import asyncio

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.services.logs.provider import put_lines, read_new
from otherside.twin.services.rds.postgres import Postgres
from otherside.twin.services.rds.provider import RdsProvider

EVERY_S = 5.0


async def export_logs(context: TwinContext, rds: RdsProvider, postgres: Postgres) -> None:
    """Ship each server's new log lines until the twin stops."""
    while True:
        await asyncio.sleep(EVERY_S)
        for arn, region, cluster in rds.clusters():
            server = postgres.server(arn)
            exported = "postgresql" in (cluster.enabled_cloudwatch_logs_exports or ())
            if server is None or not exported or not context.partitions.stands(region):
                continue
            log = server.directory / "server.log"
            if not log.exists():
                continue
            lines, server.logs_read = read_new(log, server.logs_read)
            name = str(cluster.db_cluster_identifier)
            group = f"/aws/rds/cluster/{name}/postgresql"
            backend = moto_backend.logs(context.account, region)
            if group not in backend.groups:
                backend.create_log_group(group, {})
            writer = cluster.writer
            stream = f"{writer.db_instance_identifier if writer else name}.0"
            put_lines(backend, group, stream, lines, context.now_s)
