"""An event rule waits for another Region's alarm events, which nothing forwards.

## Why
An alarm sends its events to the bus in its own Region. A rule in another Region never receives them
unless a rule in the alarm's Region forwards them.

## Fix
Forward the alarm's events to a bus in the rule's Region.

```python
aws.cloudwatch.EventTarget("forward", rule=rule.name, arn=standby_bus.arn, role_arn=role.arn)
```

```hcl
resource "aws_cloudwatch_event_target" "forward" {
  rule     = aws_cloudwatch_event_rule.alarms.name # in the alarm's Region
  arn      = aws_cloudwatch_event_bus.standby.arn
  role_arn = aws_iam_role.forward.arn
}
```

```yaml
Targets: [{Id: standby, Arn: !Ref StandbyBusArn, RoleArn: !GetAtt ForwardRole.Arn}]
```

## Impact
RTO: the event that should start the failover never arrives.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
"""

import bisect
import itertools
from collections.abc import Iterator

from otherside.check.analysis.events import is_disabled
from otherside.check.analysis.functions import unique
from otherside.check.model.arn import region_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR405",
    severity=Severity.HIGH,
    on="events.rule",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4", "NIST CP-10"),
    pair=True,
    lacking=True,
)
def alarm_event_not_forwarded(graph: Graph, resource: Resource) -> Iterator[str]:
    if is_disabled(resource):
        return
    for alarm in named_alarms(graph, resource):
        if alarm.region in {resource.region, None} or resource.region is None:
            continue
        if not _forwarded(graph, str(alarm.region), resource.region):
            yield f"{alarm.label} is in {alarm.region}, and nothing there forwards to {resource.region}"


_ALARMS = ("cloudwatch.alarm", "cloudwatch.composite_alarm")


def named_alarms(graph: Graph, resource: Resource) -> list[Resource]:
    """Return the alarms that a rule's pattern names: by name, by how it begins, or by ARN."""
    pattern = resource["event_pattern"]
    if not isinstance(pattern, dict):
        return []
    detail = pattern.get("detail")
    names = detail.get("alarmName") if isinstance(detail, dict) else None
    found = []
    for name in names if isinstance(names, list) else ():
        if isinstance(name, str):
            alike = graph.memoize("alarms", lambda: _alarms(graph)).get(name, [])
            found += _nearest(graph, resource, alike)
        elif isinstance(name, dict):
            begins = name.get("prefix")
            if isinstance(begins, str) and begins:
                found += _nearest(graph, resource, _beginning(graph, begins))
        else:
            found += [link.resource for link in graph.links(resource, name, *_ALARMS)]
    arns = pattern.get("resources")
    for arn in arns if isinstance(arns, list) else ():
        if not isinstance(arn, dict):
            found += [link.resource for link in graph.links(resource, arn, *_ALARMS)]
    return unique(found)


def _nearest(graph: Graph, resource: Resource, alike: list[Resource]) -> list[Resource]:
    """Return the alarms of a rule's own Region, or all if there are none.

    Raises:
        Unresolved: If an alarm of its own Region has a name that is not known: it may be meant.
    """
    here = [alarm for alarm in alike if alarm.region == resource.region]
    nameless = graph.memoize("alarms without a known name", lambda: _nameless(graph))
    if alike and not here and resource.region in nameless:
        nameless[resource.region].known("name")
    return here or alike


def _nameless(graph: Graph) -> dict[str | None, Resource]:
    """Return an alarm of each Region whose name is not known, where there is one."""
    alarms = graph.of(*_ALARMS)
    return {alarm.region: alarm for alarm in alarms if isinstance(alarm["name"], Unknown)}


def _beginning(graph: Graph, begins: str) -> list[Resource]:
    known = graph.memoize("alarms", lambda: _alarms(graph))
    names = graph.memoize("alarms' names in order", lambda: sorted(known))
    found = []
    for name in itertools.islice(names, bisect.bisect_left(names, begins), None):
        if not name.startswith(begins):
            break
        found += known[name]
    return found


def _alarms(graph: Graph) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for alarm in graph.of(*_ALARMS):
        if isinstance(alarm["name"], str):
            found.setdefault(alarm["name"], []).append(alarm)
    return found


def _forwarded(graph: Graph, source: str, target: str) -> bool:
    for other_target in graph.of("events.target", region=source):
        bus = graph.link(other_target, "arn", "events.bus", "data.aws_cloudwatch_event_bus")
        if (bus.resource.region if bus is not None else region_of(other_target["arn"])) == target:
            return True
        if isinstance(other_target["arn"], Unknown) and not other_target["arn"].refs:
            other_target.known("arn")
    return False
