"""An alarm that should say that something is gone waits for it to speak.

## Why
What is gone sends no metrics. Where missing data counts as missing, or as good, the alarm that was
to tell of it goes to INSUFFICIENT_DATA or to OK.

## Fix
Let missing data count as breaching, for alarms on life.

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
RTO: the alarm comes when the Region is back.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_LIFE = {("AWS/ApplicationELB", "HealthyHostCount"), ("AWS/NetworkELB", "HealthyHostCount")}
_LIFE |= {("AWS/Route53", "HealthCheckStatus")}


@rule(
    "DR603",
    severity=Severity.MEDIUM,
    on="cloudwatch.alarm",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4"),
)
def liveness_alarm_ignores_missing_data(graph: Graph, alarm: Resource) -> Iterator[str]:
    del graph
    if (alarm["namespace"], alarm["metric_name"]) not in _LIFE:
        return
    missing = alarm.known("treat_missing_data") or "missing"
    if missing != "breaching":
        yield f"without data it is {'silent' if missing == 'missing' else missing}"
