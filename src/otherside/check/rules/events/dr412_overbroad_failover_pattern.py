"""Any alarm can start a failover.

## Why
A rule that matches every state change of every alarm invokes the failover function for a full disk,
a test or another team's alarm. If the function does not verify the outage itself, it fails over.

## Fix
Match the primary's alarms by name, and only the state that matters.

```python
event_pattern=json.dumps({"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"],
    "detail": {"alarmName": [alarm.name], "state": {"value": ["ALARM"]}}})
```

```hcl
event_pattern = jsonencode({
  source = ["aws.cloudwatch"]
  detail = { alarmName = [aws_cloudwatch_metric_alarm.primary.alarm_name] }
})
```

```yaml
EventPattern:
  source: [aws.cloudwatch]
  detail: {alarmName: [!Ref PrimaryAlarm]}
```

## Impact
RTO: not affected; there are unnecessary failovers.
RPO: the unreplicated data, each time.

## See
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from collections.abc import Iterator

from otherside.check.analysis.functions import (
    callers,
    managed_orchestrators,
    promoters,
    unique,
)
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Value, require_known
from otherside.check.rule import RecoveryStep, Severity, rule

_NARROWING = {"alarmName", "configuration", "$or"}
"""What tells one alarm from another in an event's detail."""


@rule(
    "DR412",
    severity=Severity.HIGH,
    on="events.rule",
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 PI1.3", "NIST CP-10", "NIST SI-4"),
)
def overbroad_failover_pattern(graph: Graph, resource: Resource) -> Iterator[str]:
    pattern = resource["event_pattern"]
    if not isinstance(pattern, dict) or not _hears_alarms(pattern):
        return
    detail = require_known(pattern.get("detail")) or {}
    if _NARROWING & set(detail) or "resources" in pattern or "$or" in pattern:
        return
    able = unique(promoters(graph), callers(graph), managed_orchestrators(graph))
    for target in graph.users(resource, "events.target", "rule"):
        link = graph.link(target, "arn", "lambda.function", "sfn.state_machine", "arc.plan")
        if link is not None and link.resource in able:
            yield f"every alarm of the Region wakes {link.resource.label}"
            return


def _hears_alarms(pattern: dict[str, Value]) -> bool:
    """Return whether a pattern is of alarms, by their source or by their events' type alone."""
    if "source" in pattern:
        return bool(pattern["source"] == ["aws.cloudwatch"])
    return bool(pattern.get("detail-type") == ["CloudWatch Alarm State Change"])
