"""A liveness alarm does not treat missing data as a failure.

## Why
A dead resource sends no metrics. If missing data counts as missing or as not breaching, the alarm
that should report the failure goes to INSUFFICIENT_DATA or OK instead.

## Fix
Treat missing data as breaching in liveness alarms.

```python
aws.cloudwatch.MetricAlarm("hosts", metric_name="HealthyHostCount", treat_missing_data="breaching")
```

```hcl
treat_missing_data = "breaching"
```

```yaml
TreatMissingData: breaching
```

## Impact
RTO: the alarm fires only when the Region is back.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from collections.abc import Iterator

from otherside.check.analysis.alarm_metrics import metrics_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_LIFE = {("AWS/ApplicationELB", "HealthyHostCount"), ("AWS/NetworkELB", "HealthyHostCount")}
_LIFE |= {("AWS/Route53", "HealthCheckStatus"), ("CloudWatchSynthetics", "SuccessPercent")}
_LIFE |= {
    ("AWS/EC2", f"StatusCheckFailed{part}") for part in ("", "_Instance", "_System", "_AttachedEBS")
}


@rule(
    "DR603",
    severity=Severity.MEDIUM,
    on="cloudwatch.alarm",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4"),
)
def liveness_alarm_ignores_missing_data(graph: Graph, alarm: Resource) -> Iterator[str]:
    del graph
    if not any(
        isinstance(metric.name, str) and (metric.namespace, metric.name) in _LIFE
        for metric in metrics_of(alarm)
    ):
        return
    missing = alarm.known("treat_missing_data") or "missing"
    if missing != "breaching":
        yield f"without data it is {'silent' if missing == 'missing' else missing}"
