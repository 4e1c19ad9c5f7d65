"""A calculated health check has no children, or a threshold they cannot reach.

## Why
A calculated check counts its healthy children. Without children, or with a threshold above their
number, its status never changes: it is always healthy, or never.

## Fix
List the children, and set a threshold that they can both reach and miss.

```python
aws.route53.HealthCheck("primary", type="CALCULATED", child_health_threshold=2,
    child_healthchecks=[endpoint.id, latch.id])
```

```hcl
child_health_threshold = 2
child_healthchecks     = [aws_route53_health_check.endpoint.id, aws_route53_health_check.latch.id]
```

```yaml
HealthCheckConfig: {Type: CALCULATED, HealthThreshold: 2, ChildHealthChecks: [!Ref Endpoint, !Ref Latch]}
```

## Impact
RTO: DNS never fails over, or has failed over from the start.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR212",
    severity=Severity.HIGH,
    on="route53.health_check",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def empty_calculated_health_check(graph: Graph, check: Resource) -> Iterator[str]:
    del graph
    if check["type"] != "CALCULATED":
        return
    children, threshold = check["child_healthchecks"], check["child_health_threshold"]
    if children in (None, []):
        yield "it has no children, so it never changes"
    elif isinstance(children, list) and isinstance(threshold, int) and threshold > len(children):
        yield f"it asks for {threshold} healthy children of {len(children)}: it is never healthy"
    elif threshold == 0:
        yield "it asks for no healthy child: it is always healthy"
