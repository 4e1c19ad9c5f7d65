"""An alarm's action is in another Region.

## Why
An alarm can act only in its own Region: CloudWatch rejects, or never calls, a topic or function
elsewhere.

## Fix
Create a topic in each Region, and subscribe people to both.

```python
aws.cloudwatch.MetricAlarm("hosts", alarm_actions=[standby_topic.arn]) # of the alarm's Region
```

```hcl
alarm_actions = [aws_sns_topic.standby.arn]
```

```yaml
AlarmActions: [!Ref Topic] # of this stack
```

## Impact
RTO: no one is notified.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from collections.abc import Iterator

from otherside.check.model.arn import read_arn, spelt
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_KINDS = ("sns.topic", "lambda.function")
_PATHS = ("alarm_actions", "ok_actions", "insufficient_data_actions")
_SERVICES = {"sns", "lambda"}


@rule(
    "DR606",
    severity=Severity.HIGH,
    on=("cloudwatch.alarm", "cloudwatch.composite_alarm"),
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4", "NIST IR-6(1)"),
)
def cross_region_alarm_action(graph: Graph, alarm: Resource) -> Iterator[str]:
    paths = _PATHS if alarm.kind == "cloudwatch.alarm" else _PATHS[:1]
    listed = [alarm[path] for path in paths if isinstance(alarm[path], list)]
    if alarm.region is None:
        return
    for action in (action for actions in listed for action in actions):
        link = next(iter(graph.links(alarm, action, *_KINDS)), None)
        arn = read_arn(action)
        region = link.resource.region if link is not None else None
        if region is None and arn is not None and arn.service in _SERVICES:
            region = arn.region
        if region not in {None, alarm.region}:
            yield f"it acts on {link.resource.name if link else spelt(action)}, which is in {region}"
