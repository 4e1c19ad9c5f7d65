"""The standby runs no instances, so DNS considers it unhealthy.

## Why
An alias record that evaluates target health treats a load balancer without targets as unhealthy.
When both sides are unhealthy, Route 53 answers with the primary, so users never reach an empty
standby.

## Fix
Keep at least one instance running in each of two zones of the standby.

```python
aws.autoscaling.Group("standby", min_size=2, max_size=20)
```

```hcl
min_size = 2
```

```yaml
MinSize: "2"
```

## Impact
RTO: instance boot time, during which DNS sends users to a dead Region.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-failover-alias.html
"""

from collections.abc import Iterator

from otherside.check.analysis.dns import failover_records
from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR302",
    severity=Severity.HIGH,
    on="autoscaling.group",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.1", "NIST CP-7"),
    pair=True,
    lacking=True,
)
def standby_without_instances(graph: Graph, group: Resource) -> Iterator[str]:
    if group.known("min_size") != 0 or group.known("desired_capacity") not in {None, 0}:
        return
    if group.required_region() != sides_of(graph).standby:
        return
    for record in failover_records(graph, "SECONDARY"):
        if record["alias.evaluate_target_health"] is True:
            yield f"it may be empty, and {record.label} is unhealthy then"
            return
