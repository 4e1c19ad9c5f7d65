"""No alarm monitors the standby's replication lag.

## Why
Aurora and RDS report the lag of a copy only in the copy's own Region. An alarm in the primary
never gets data, and without an alarm you do not know how much data a failover would lose.

## Fix
Alarm on the lag in the standby, and mirror the alarm in the primary for use after a failover.

```python
aws.cloudwatch.MetricAlarm("lag", namespace="AWS/RDS", metric_name="AuroraGlobalDBRPOLag",
    dimensions={"DBClusterIdentifier": standby.id, "SourceRegion": "us-east-2"},
    opts=pulumi.ResourceOptions(provider=standby_provider))
```

```hcl
resource "aws_cloudwatch_metric_alarm" "lag" {
  provider    = aws.standby
  namespace   = "AWS/RDS"
  metric_name = "AuroraGlobalDBRPOLag"
}
```

```yaml
# In the standby's stack.
Namespace: AWS/RDS
MetricName: AuroraGlobalDBRPOLag
```

## Impact
RTO: no direct effect.
RPO: unknown until it is too late.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-monitoring.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.alarm_metrics import metrics_of
from otherside.check.analysis.databases import follows_afar, is_secondary, members
from otherside.check.analysis.metric_sinks import watched_elsewhere
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_OF_AURORA = re.compile(r"AuroraGlobalDB(RPOLag|ReplicationLag|ProgressLag)")
_OF_REPLICA = re.compile(r"ReplicaLag")


@rule(
    "DR602",
    severity=Severity.MEDIUM,
    on=("rds.global_cluster", "rds.instance"),
    step=RecoveryStep.DETECT,
    controls=("SOC 2 A1.1", "SOC 2 CC7.2", "NIST SI-4", "NIST CP-2"),
    pair=True,
    lacking=True,
)
def missing_replication_lag_alarm(graph: Graph, database: Resource) -> Iterator[str]:
    if watched_elsewhere(graph):
        return
    if database.kind == "rds.instance":
        if follows_afar(graph, database):
            yield from _unwatched(graph, database, _OF_REPLICA)
        return
    for cluster in members(graph, database):
        if is_secondary(graph, cluster):
            yield from _unwatched(graph, cluster, _OF_AURORA)


def _unwatched(graph: Graph, copy: Resource, named: re.Pattern[str]) -> Iterator[str]:
    """Find a copy whose lag no alarm of its own Region watches: AWS tells it there alone."""
    alarms = graph.memoize(
        f"alarms of {named.pattern}",
        lambda: [
            alarm
            for alarm in graph.of("cloudwatch.alarm")
            if any(named.fullmatch(str(metric.name)) for metric in metrics_of(alarm))
        ],
    )
    if any(alarm.region == copy.required_region() for alarm in alarms):
        return
    for alarm in graph.of("cloudwatch.alarm", region=copy.region):
        alarm.known("metric_name")
        alarm.known("metric_query")
    where = ", ".join(sorted({str(alarm.region) for alarm in alarms}))
    yield f"its lag is told in {copy.region or 'the Region of its copy'}, and watched {'in ' + where if where else 'nowhere'}"
