"""The standby cannot grow to the primary's size.

## Why
After a failover the standby carries all of the load. A group whose maximum is below the primary's
cannot be scaled up to it, not by the orchestrator and not by its own scaling: it is clamped.

## Fix
Let the standby's maximum be the primary's; it is not what runs that costs, but what may run.

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
RTO: users are served slowly or not at all until somebody raises the limit.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-capacity-limits.html
"""

from collections.abc import Iterator

from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR301",
    severity=Severity.HIGH,
    on="autoscaling.group",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.1", "NIST CP-7", "NIST CP-2(2)"),
)
def undersized_standby(graph: Graph, group: Resource) -> Iterator[str]:
    sides = sides_of(graph)
    if group.here() != sides.standby:
        return
    largest = {side: _most(graph, side) for side in (sides.primary, sides.standby)}
    if largest[sides.standby] < largest[sides.primary]:
        yield (
            f"{sides.standby} can grow to {largest[sides.standby]} instances, "
            f"and {sides.primary} to {largest[sides.primary]}"
        )


def _most(graph: Graph, region: str) -> int:
    """Return how many instances a Region can grow to."""
    groups = graph.of("autoscaling.group", region=region)
    return graph.once(
        f"most {region}", lambda: sum(int(group.known("max_size") or 0) for group in groups)
    )
