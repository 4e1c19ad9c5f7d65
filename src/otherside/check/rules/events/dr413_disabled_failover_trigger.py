"""The trigger of a failover is disabled.

## Why
A rule or schedule that was disabled for an afternoon stays disabled without any warning. The
function behind it works but is never invoked.

## Fix
Enable it, or omit the state.

```python
aws.cloudwatch.EventRule("tick", schedule_expression="rate(1 minute)", state="ENABLED")
```

```hcl
state = "ENABLED"
```

```yaml
State: ENABLED
```

## Impact
RTO: no failover starts automatically.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-delete-rule.html
"""

from collections.abc import Iterator

from otherside.check.analysis.events import is_disabled
from otherside.check.analysis.functions import orchestrators
from otherside.check.analysis.namesakes import stem
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR413",
    severity=Severity.HIGH,
    on=("events.rule", "scheduler.schedule"),
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def disabled_failover_trigger(graph: Graph, resource: Resource) -> Iterator[str]:
    if resource.kind == "scheduler.schedule":
        if resource["state"] != "DISABLED":
            return
        link = graph.link(resource, "target.arn", "lambda.function")
        targets = [link.resource] if link is not None else []
    else:
        if not is_disabled(resource) or _enabled_elsewhere(graph, resource):
            return
        found = graph.users(resource, "events.target", "rule")
        links = [graph.link(each, "arn", "lambda.function") for each in found]
        targets = [link.resource for link in links if link is not None]
    wanted = orchestrators(graph)
    for function in targets:
        if function in wanted:
            yield f"it is disabled, and would wake {function.label}"


def _enabled_elsewhere(graph: Graph, resource: Resource) -> bool:
    """Return whether the same trigger is enabled in another Region, which is the one that acts."""
    return any(
        stem(other) == stem(resource) and other.region != resource.region and not is_disabled(other)
        for other in graph.of("events.rule")
    )
