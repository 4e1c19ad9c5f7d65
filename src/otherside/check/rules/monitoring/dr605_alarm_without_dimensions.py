"""An alarm lacks the dimensions that its metric needs.

## Why
CloudWatch stores metrics per load balancer and per health check. Without the dimension there is no
such metric, and the alarm stays in INSUFFICIENT_DATA forever.

## Fix
Set the dimension that identifies the monitored resource.

```python
dimensions={"LoadBalancer": balancer.arn_suffix}
```

```hcl
dimensions = { LoadBalancer = aws_lb.this.arn_suffix }
```

```yaml
Dimensions: [{Name: LoadBalancer, Value: !GetAtt Alb.LoadBalancerFullName}]
```

## Impact
RTO: users notice the outage before the alarm does.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from collections.abc import Iterator

from otherside.check.analysis.alarm_metrics import metrics_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_NEEDED = {
    "AWS/ApplicationELB": ("LoadBalancer", "TargetGroup"),
    "AWS/NetworkELB": ("LoadBalancer",),
    "AWS/Route53": ("HealthCheckId", "HostedZoneId"),
}
"""An alarm needs one of these; RequestCountPerTarget is stored by target group alone."""


@rule(
    "DR605",
    severity=Severity.HIGH,
    on="cloudwatch.alarm",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4"),
)
def alarm_without_dimensions(graph: Graph, alarm: Resource) -> Iterator[str]:
    del graph
    for metric in metrics_of(alarm):
        needed = _NEEDED.get(str(metric.namespace))
        if needed is None or not isinstance(metric.dimensions, (dict, type(None))):
            continue
        if not any(item in (metric.dimensions or {}) for item in needed):
            yield f"{metric.namespace} has no metric without {needed[0]}"
            return
