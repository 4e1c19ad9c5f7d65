"""An alarm on a global service is outside us-east-1.

## Why
Metrics of Route 53's health checks and of CloudFront are in us-east-1 only. An alarm on them in any
other Region waits for data for ever.

## Fix
Make the alarm in us-east-1, and forward what it says.

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
RTO: what was to be noticed is not.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
"""

from collections.abc import Iterator

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
    home = _HOME.get(str(alarm["namespace"]))
    if home is not None and alarm.here() != home:
        yield f"metrics of {alarm['namespace']} are in {home}, and it is in {alarm.region}"
