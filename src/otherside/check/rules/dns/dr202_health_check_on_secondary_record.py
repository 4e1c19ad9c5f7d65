"""The SECONDARY record has a health check.

## Why
When both records are unhealthy, Route 53 answers with the PRIMARY: a standby that is slow to become
healthy, or whose check is wrong, sends all users back to the failed Region. Route 53 always uses a
SECONDARY without a check when the primary is unhealthy.

## Fix
Remove the health check from the SECONDARY record, and monitor the standby with an alarm.

```python
aws.route53.Record("secondary", failover_routing_policies=[
    aws.route53.RecordFailoverRoutingPolicyArgs(type="SECONDARY")]) # and no health_check_id
```

```hcl
resource "aws_route53_record" "secondary" {
  failover_routing_policy { type = "SECONDARY" } # and no health_check_id
}
```

```yaml
Failover: SECONDARY # and no HealthCheckId
```

## Impact
RTO: DNS sends users to a dead Region until the standby's check is healthy.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-problems.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR202",
    severity=Severity.MEDIUM,
    on="route53.record",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def health_check_on_secondary_record(graph: Graph, record: Resource) -> Iterator[str]:
    if record["failover_routing_policy.type"] != "SECONDARY":
        return
    link = graph.link(record, "health_check_id", "route53.health_check")
    if link is not None and link.resource["type"] == "RECOVERY_CONTROL":
        return  # as ARC has it: https://docs.aws.amazon.com/r53recovery/latest/dg/routing-control.create.html
    if record["health_check_id"] is not None:
        yield "with both sides unhealthy, users are led to the primary"
