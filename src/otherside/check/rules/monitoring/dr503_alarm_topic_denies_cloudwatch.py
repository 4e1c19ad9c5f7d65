"""Alarms cannot publish to their encrypted topic.

## Why
A topic encrypted with `alias/aws/sns`, or with a key that does not allow CloudWatch, accepts no
message from an alarm. The alarm goes off, its history shows a failed action, and no one is
notified.

## Fix
Encrypt the topic with a customer managed key whose policy allows `cloudwatch.amazonaws.com`.

```python
statement = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
             "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}
```

```hcl
statement {
  actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
  resources = ["*"]
  principals {
    type        = "Service"
    identifiers = ["cloudwatch.amazonaws.com"]
  }
}
```

```yaml
- Effect: Allow
  Principal: {Service: cloudwatch.amazonaws.com}
  Action: ["kms:Decrypt", "kms:GenerateDataKey*"]
  Resource: "*"
```

## Impact
RTO: no one is notified; automation continues without anyone watching it.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
- https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
"""

from collections.abc import Iterator

from otherside.check.analysis.events import admits
from otherside.check.analysis.kms_keys import aws_key, key_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_SERVICE = "cloudwatch.amazonaws.com"


@rule(
    "DR503",
    severity=Severity.HIGH,
    on="sns.topic",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4", "NIST AU-5"),
)
def alarm_topic_denies_cloudwatch(graph: Graph, topic: Resource) -> Iterator[str]:
    if topic["kms_master_key_id"] is None or not _alarms(graph, topic):
        return
    if aws_key(graph, topic, "kms_master_key_id") == "aws":
        yield "alarms write to it, and AWS's own key does not let them"
        return
    key = key_of(graph, topic, "kms_master_key_id")
    if key is not None and not admits(graph, key, _SERVICE):
        yield f"alarms write to it, and its key {key.label} does not admit {_SERVICE}"


def _alarms(graph: Graph, topic: Resource) -> list[Resource]:
    return [
        alarm_actions
        for kind in ("cloudwatch.alarm", "cloudwatch.composite_alarm")
        for alarm_actions in graph.known_users(topic, kind, "alarm_actions")
    ]
