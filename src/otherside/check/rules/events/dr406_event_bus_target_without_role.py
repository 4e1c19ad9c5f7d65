"""Events are sent to another Region's bus without a role.

## Why
EventBridge delivers to a bus of another Region only under a role that may put events there. Without
one the target is refused, or every delivery fails.

## Fix
Name a role that allows `events:PutEvents` on the other bus.

```python
aws.cloudwatch.EventTarget("forward", rule=rule.name, arn=standby_bus.arn, role_arn=role.arn)
```

```hcl
role_arn = aws_iam_role.forward.arn
```

```yaml
RoleArn: !GetAtt ForwardRole.Arn
```

## Impact
RTO: the event that was to begin the failover never arrives.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
"""

from collections.abc import Iterator

from otherside.check.model.arn import read_arn
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR406",
    severity=Severity.HIGH,
    on="events.target",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4"),
)
def event_bus_target_without_role(graph: Graph, target: Resource) -> Iterator[str]:
    if target["role_arn"] is not None or target.region is None:
        return
    region = bus_region(graph, target)
    if region not in {None, target.region}:
        yield f"it sends to a bus in {region} without a role"


def bus_region(graph: Graph, target: Resource) -> str | None:
    """Return the Region of the bus that a target is, or `None` where it is none."""
    link = graph.link(target, "arn", "events.bus")
    if link is not None:
        return link.resource.region
    arn = read_arn(target["arn"])
    return arn.region if arn is not None and arn.resource.startswith("event-bus/") else None
