"""The standby cannot grow to the primary's size.

## Why
After a failover the standby carries the full load. A group whose maximum is below the primary's is
clamped: neither the orchestrator nor its own scaling policy can scale it to the primary's size.

## Fix
Set the standby's maximum size to the primary's; a higher maximum costs nothing until instances run.

```python
aws.autoscaling.Group("standby", min_size=2, max_size=20) # as the primary's maximum
```

```hcl
max_size = var.max_size # one variable, both sides
```

```yaml
MaxSize: !Ref MaxSize # the same in both stacks
```

## Impact
RTO: the service is slow or unavailable until an operator raises the limit.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-capacity-limits.html
"""

from collections.abc import Iterator

from otherside.check.analysis.sides import sides_of
from otherside.check.analysis.workloads import tasks_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR301",
    severity=Severity.HIGH,
    on=("autoscaling.group", "ecs.service"),
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.1", "NIST CP-7", "NIST CP-2(2)"),
    pair=True,
)
def undersized_standby(graph: Graph, group: Resource) -> Iterator[str]:
    sides = sides_of(graph)
    if group.required_region() != sides.standby:
        return
    largest = {side: _most(graph, group.kind, side) for side in (sides.primary, sides.standby)}
    if largest[sides.standby] < largest[sides.primary]:
        what = "tasks" if group.kind == "ecs.service" else "instances"
        yield (
            f"{sides.standby} can grow to {largest[sides.standby]} {what}, "
            f"and {sides.primary} to {largest[sides.primary]}"
        )


def _most(graph: Graph, kind: str, region: str) -> int:
    """Return the number of instances, or of tasks, that a Region can scale out to."""
    found = graph.memoize(f"most {kind} {region}", lambda: _sum(graph, kind, region))
    if isinstance(found, Unresolved):
        raise Unresolved(str(found))
    return found


def _sum(graph: Graph, kind: str, region: str) -> int | Unresolved:
    """Return the number, or why it is not known: each group of the Region asks for it."""
    groups = graph.of(kind, region=region)
    try:
        if kind == "ecs.service":
            return sum(tasks_of(graph, group)[1] for group in groups)
        return sum(int(group.known("max_size") or 0) for group in groups)
    except Unresolved as undecided:
        return undecided
