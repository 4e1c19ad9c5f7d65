"""An event rule's pattern can never match.

## Why
EventBridge compares texts exactly. A state in the wrong case or a detail type with one letter more
matches no event, and nothing says so: the rule is there, its target is there, and it never runs.

## Fix
Write the values as the service sends them; the event's documentation has an example.

```python
aws.cloudwatch.EventRule("alarms", event_pattern=json.dumps({
    "source": ["aws.cloudwatch"],
    "detail-type": ["CloudWatch Alarm State Change"],
    "detail": {"state": {"value": ["ALARM"]}},
}))
```

```hcl
event_pattern = jsonencode({
  source        = ["aws.cloudwatch"]
  "detail-type" = ["CloudWatch Alarm State Change"]
  detail        = { state = { value = ["ALARM"] } }
})
```

```yaml
EventPattern:
  source: [aws.cloudwatch]
  detail-type: [CloudWatch Alarm State Change]
  detail: {state: {value: [ALARM]}}
```

## Impact
RTO: what waits for the event never begins.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from collections.abc import Iterator, Mapping

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Value
from otherside.check.rule import RecoveryStep, Severity, rule

_TYPES: Mapping[str, frozenset[str]] = {
    "aws.cloudwatch": frozenset(
        {"CloudWatch Alarm State Change", "CloudWatch Alarm Configuration Change"}
    ),
    "aws.rds": frozenset(
        {
            *("RDS DB Cluster Event", "RDS DB Instance Event", "RDS DB Snapshot Event"),
            *("RDS DB Cluster Snapshot Event", "RDS DB Parameter Group Event"),
            *(
                "RDS DB Security Group Event",
                "RDS DB Proxy Event",
                "RDS Blue Green Deployment Event",
            ),
            *("RDS Custom Engine Version Event", "RDS DB Shard Group Event"),
            *("RDS Zero ETL Event", "AWS API Call via CloudTrail"),
        }
    ),
}
"""The detail types of each source.
https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-rds.html"""
_STATES = frozenset({"OK", "ALARM", "INSUFFICIENT_DATA"})
_OF_ALARM = frozenset(
    {*("alarmName", "state", "previousState", "configuration", "operation", "muteDetail")}
    | {"previousConfiguration", "alarmArn"}
)


@rule(
    "DR415",
    severity=Severity.HIGH,
    on="events.rule",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4", "NIST CP-10"),
)
def impossible_event_pattern(graph: Graph, resource: Resource) -> Iterator[str]:
    del graph
    pattern = resource["event_pattern"]
    if not isinstance(pattern, dict):
        return
    sources, types = _texts(pattern.get("source")), _texts(pattern.get("detail-type"))
    known = [_TYPES[source] for source in sources or () if source in _TYPES]
    if types and known and len(known) == len(sources or ()):
        for type_ in types:
            if not any(type_ in of_source for of_source in known):
                yield f"no event of {', '.join(sources or ())} has the detail type {type_!r}"
    if sources == ["aws.cloudwatch"] and types == ["CloudWatch Alarm State Change"]:
        yield from _of_alarm(pattern.get("detail"))


def _of_alarm(detail: Value) -> Iterator[str]:
    """Yield what no change of an alarm's state has."""
    if not isinstance(detail, dict):
        return
    for key in sorted(set(detail) - _OF_ALARM - {"$or"}):
        yield f"no change of an alarm has the detail {key!r}"
    for key in ("state", "previousState"):
        state = detail.get(key)
        if _texts(state):
            yield f"{key} of a change of an alarm is no text: match {key}.value"
        values = _texts(state.get("value")) if isinstance(state, dict) else None
        wrong = [value for value in values or () if value not in _STATES]
        if values and len(wrong) == len(values):
            yield f"no alarm has the state {', '.join(map(repr, wrong))}: it is OK, ALARM or INSUFFICIENT_DATA"


def _texts(value: Value) -> list[str] | None:
    """Return a pattern's values if all of them are plain texts."""
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return value
    return None
