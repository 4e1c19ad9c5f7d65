"""An alarm on a global service is outside us-east-1.

## Why
Route 53 health checks and CloudFront publish their metrics only in us-east-1. An alarm on them in
any other Region waits for data forever.

## Fix
Create the alarm in us-east-1, and forward its events.

```python
aws.cloudwatch.MetricAlarm("health", namespace="AWS/Route53", opts=pulumi.ResourceOptions(provider=us_east_1))
```

```hcl
resource "aws_cloudwatch_metric_alarm" "health" {
  provider  = aws.us_east_1
  namespace = "AWS/Route53"
}
```

```yaml
# In a stack in us-east-1.
Namespace: AWS/Route53
```

## Impact
RTO: the outage goes undetected.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
"""

from collections.abc import Iterator

from otherside.check.analysis.alarm_metrics import metrics_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_HOME = {"AWS/Route53": "us-east-1", "AWS/CloudFront": "us-east-1"}


@rule(
    "DR601",
    severity=Severity.HIGH,
    on="cloudwatch.alarm",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4"),
)
def route53_alarm_outside_us_east_1(graph: Graph, alarm: Resource) -> Iterator[str]:
    del graph
    for namespace in dict.fromkeys(str(metric.namespace) for metric in metrics_of(alarm)):
        home = _HOME.get(namespace)
        if home is not None and alarm.required_region() != home:
            yield f"metrics of {namespace} are in {home}, and it is in {alarm.region}"
