"""The PRIMARY record never becomes unhealthy.

## Why
Without a health check and without target health evaluation, Route 53 always treats the primary as
healthy. The SECONDARY record is never used.

## Fix
Give the PRIMARY a health check, and set its alias to evaluate target health.

```python
aws.route53.Record("primary", health_check_id=check.id, aliases=[aws.route53.RecordAliasArgs(
    name=balancer.dns_name, zone_id=balancer.zone_id, evaluate_target_health=True)])
```

```hcl
health_check_id = aws_route53_health_check.primary.id
alias {
  name                   = aws_lb.primary.dns_name
  zone_id                = aws_lb.primary.zone_id
  evaluate_target_health = true
}
```

```yaml
HealthCheckId: !Ref PrimaryCheck
AliasTarget: {DNSName: !GetAtt Alb.DNSName, HostedZoneId: !GetAtt Alb.CanonicalHostedZoneID, EvaluateTargetHealth: true}
```

## Impact
RTO: DNS does not fail over; an operator edits records by hand.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-configuring-options.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR210",
    severity=Severity.CRITICAL,
    on="route53.record",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def primary_record_without_health_check(graph: Graph, record: Resource) -> Iterator[str]:
    if record["failover_routing_policy.type"] != "PRIMARY":
        return
    check = graph.link(record, "health_check_id", "route53.health_check")
    if check is not None and check.resource["disabled"] is True:
        yield f"{check.resource.label} is disabled, and Route 53 takes it for healthy"
    if record["health_check_id"] is not None:
        return
    if record.known("alias.evaluate_target_health") is not True:
        yield "nothing ever makes it unhealthy"
