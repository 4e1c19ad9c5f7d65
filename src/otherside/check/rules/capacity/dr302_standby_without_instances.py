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

from otherside.check.analysis.dns import balancer_of, failover_records
from otherside.check.analysis.load_balancing import (
    balancers_before,
    groups_of,
    services_of,
    target_groups_of,
)
from otherside.check.analysis.sides import sides_of
from otherside.check.analysis.workloads import tasks_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR302",
    severity=Severity.HIGH,
    on=("autoscaling.group", "ecs.service"),
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.1", "NIST CP-7"),
    pair=True,
    lacking=True,
)
def standby_without_instances(graph: Graph, group: Resource) -> Iterator[str]:
    if group.required_region() != sides_of(graph).standby or not _may_be_empty(graph, group):
        return
    behind = balancers_before(graph, group)
    if not behind or _others_serve(graph, group):
        return  # nobody's users wait for it
    for record in failover_records(graph, "SECONDARY"):
        balancer = balancer_of(graph, record)
        if balancer is not None and None not in behind and balancer.resource.id not in behind:
            continue
        if record["alias.evaluate_target_health"] is True:
            yield f"it may be empty, and {record.label} is unhealthy then"
            return


def _may_be_empty(graph: Graph, group: Resource) -> bool:
    """Return whether a group or an ECS service is allowed to have nothing that runs."""
    if group.kind == "ecs.service":
        return tasks_of(graph, group)[0] == 0
    return group.known("min_size") == 0 and group.known("desired_capacity") in {None, 0}


def _others_serve(graph: Graph, group: Resource) -> bool:
    """Return whether something else that is never empty serves the same target group."""
    targets = target_groups_of(graph, group)
    groups = [each for target in targets for each in groups_of(graph, target)]
    if any(isinstance(each["min_size"], int) and each["min_size"] > 0 for each in groups):
        return True
    services = [each for target in targets for each in services_of(graph, target)]
    return any(each is not group and tasks_of(graph, each)[0] > 0 for each in services)
