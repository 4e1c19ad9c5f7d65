"""An event rule has no target, or a target that it may not call.

## Why
A rule without a target matches the alarm, and wakes nobody. A function that does not allow
EventBridge to call it is not called either: the failure is counted, and nobody looks at the count.

## Fix
Give the rule a target, and the function a permission for that rule.

```python
aws.cloudwatch.EventTarget("failover", rule=rule.name, arn=function.arn)
aws.lambda_.Permission("failover", action="lambda:InvokeFunction", function=function.name,
    principal="events.amazonaws.com", source_arn=rule.arn)
```

```hcl
resource "aws_cloudwatch_event_target" "failover" {
  rule = aws_cloudwatch_event_rule.alarm.name
  arn  = aws_lambda_function.failover.arn
}
resource "aws_lambda_permission" "failover" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.failover.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.alarm.arn
}
```

```yaml
Targets:
  - Id: failover
    Arn: !GetAtt FailoverFunction.Arn
```

## Impact
RTO: nothing begins by itself; a person begins it.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
- https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from collections.abc import Iterator

from otherside.checker.graph import Graph, Resource
from otherside.checker.rule import Severity, Step, rule


@rule(
    "DR010",
    severity=Severity.HIGH,
    on="events.rule",
    step=Step.DECIDE,
    controls=("SOC 2 CC7.3", "SOC 2 A1.2", "NIST CP-10", "NIST IR-4(1)"),
)
def missing_event_target(graph: Graph, one: Resource) -> Iterator[str]:
    if is_disabled(one):
        return
    targets = graph.users(one, "events.target", "rule")
    if not targets:
        yield "it has no target: what it matches wakes nobody"
    for target in targets:
        link = graph.link(target, "arn", "lambda.function")
        if link is None or target["role_arn"] is not None:
            continue
        allowed = graph.users(link.resource, "lambda.permission", "function_name")
        if not any(one["principal"] == "events.amazonaws.com" for one in allowed):
            if any(not isinstance(one["principal"], str) for one in allowed):
                allowed[0].known("principal")
            yield f"{link.resource.label} does not allow EventBridge to call it"


def is_disabled(one: Resource) -> bool:
    """Tell whether a rule is switched off."""
    return one["state"] == "DISABLED" or one["is_enabled"] is False
