"""A policy allows EventBridge under a condition that it never meets.

## Why
For an encrypted topic, EventBridge does not send `aws:SourceAccount`, `aws:SourceArn` or
`aws:SourceOrgID`: a statement for `events.amazonaws.com` with such a condition never applies, and
delivery fails silently.

## Fix
Omit these conditions for `events.amazonaws.com`; restrict by encryption context instead.

```python
statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
             "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}
```

```hcl
principals {
  type        = "Service"
  identifiers = ["events.amazonaws.com"]
} # and no condition on aws:SourceAccount
```

```yaml
Principal: {Service: events.amazonaws.com} # and no Condition on aws:SourceAccount
```

## Impact
RTO: responders are not notified.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

from collections.abc import Iterator

from otherside.check.analysis.iam import matches, statements
from otherside.check.analysis.kms_keys import key_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Value
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule

_SENT_NOT = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")


@rule(
    "DR504",
    severity=Severity.HIGH,
    on="sns.topic",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST AC-3"),
)
def source_condition_on_encrypted_topic(graph: Graph, topic: Resource) -> Iterator[RuleHit]:
    if topic["kms_master_key_id"] is None or not _delivered(graph, topic):
        return
    key = key_of(graph, topic, "kms_master_key_id")
    policies = graph.users(topic, "sns.topic_policy", "arn")
    for policy in [*policies, *([key] if key is not None else [])]:
        for condition in _conditions(statements(graph, policy, policy["policy"])):
            yield RuleHit(policy, f"it lets EventBridge in under {condition}, which is not sent")


def _delivered(graph: Graph, topic: Resource) -> bool:
    return bool(graph.known_users(topic, "events.target", "arn"))


def _conditions(policy: Value) -> list[str]:
    """Return the conditions that block EventBridge, if every statement for it has one."""
    found: list[str] = []
    for statement in policy if isinstance(policy, list) else ():
        if not isinstance(statement, dict) or not _for_events(statement):
            continue
        tested = statement.get("conditions")
        keys = [key for test in tested.values() for key in test] if isinstance(tested, dict) else []
        wrong = [key for key in keys if key.lower() in _SENT_NOT]
        if not wrong:
            return []
        found += [key for key in wrong if key not in found]
    return found


def _for_events(statement: dict[str, Value]) -> bool:
    principals, actions = statement.get("principals"), statement.get("actions")
    who = principals.get("Service") if isinstance(principals, dict) else None
    listed = who if isinstance(who, list) else []
    if "events.amazonaws.com" not in listed or not isinstance(actions, list):
        return False
    return any(
        isinstance(action, str)
        and any(matches(action, used) for used in ("kms:Decrypt", "sns:Publish"))
        for action in actions
    )
