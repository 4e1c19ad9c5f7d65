"""No alarm monitors the standby's replication lag.

## Why
Aurora reports the lag of a global database only in the secondary's Region. An alarm in the primary
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
from otherside.check.analysis.databases import is_secondary, members
from otherside.check.analysis.metric_sinks import watched_elsewhere
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_LAG = re.compile(r"^AuroraGlobalDB(RPOLag|ReplicationLag|ProgressLag)$")


@rule(
    "DR602",
    severity=Severity.MEDIUM,
    on="rds.global_cluster",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 A1.1", "SOC 2 CC7.2", "NIST SI-4", "NIST CP-2"),
    pair=True,
    lacking=True,
)
def missing_replication_lag_alarm(graph: Graph, group: Resource) -> Iterator[str]:
    if watched_elsewhere(graph):
        return
    everything = graph.of("cloudwatch.alarm")
    alarms = graph.memoize(
        "lag alarms",
        lambda: [
            alarm
            for alarm in everything
            if any(_LAG.match(str(metric.name)) for metric in metrics_of(alarm))
        ],
    )
    for cluster in members(graph, group):
        if not is_secondary(graph, cluster):
            continue
        if not any(alarm.region == cluster.required_region() for alarm in alarms):
            for alarm in graph.of("cloudwatch.alarm", region=cluster.region):
                alarm.known("metric_name")
                alarm.known("metric_query")
            where = ", ".join(sorted({str(alarm.region) for alarm in alarms})) or "nowhere"
            yield f"its lag is told in {cluster.region}, and watched {where if not alarms else 'in ' + where}"
