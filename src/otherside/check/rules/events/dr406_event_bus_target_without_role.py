"""A target on another Region's event bus has no IAM role.

## Why
EventBridge delivers to a bus in another Region only with a role that may put events there. Without
one, AWS rejects the target or every delivery fails.

## Fix
Give the target a role that allows `events:PutEvents` on the other bus.

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
RTO: the event that should start the failover never arrives.
RPO: no direct effect.

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
    """Return the Region of a target that is an event bus, or `None` for any other target."""
    link = graph.link(target, "arn", "events.bus")
    if link is not None:
        return link.resource.region
    arn = read_arn(target["arn"])
    return arn.region if arn is not None and arn.resource.startswith("event-bus/") else None
