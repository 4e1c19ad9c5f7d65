"""An event rule has no target, or lacks permission to invoke it.

## Why
A rule without a target matches the alarm but triggers nothing. A function that does not allow
EventBridge to invoke it does not run either; only a failure metric records it.

## Fix
Add a target to the rule, and a permission for that rule to the function.

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
RTO: no failover starts automatically; an operator has to start it.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
- https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from collections.abc import Iterator

from otherside.check.analysis.events import is_disabled
from otherside.check.analysis.iam import matches
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Value
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR010",
    severity=Severity.HIGH,
    on="events.rule",
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 CC7.3", "SOC 2 A1.2", "NIST CP-10", "NIST IR-4(1)"),
    lacking=True,
)
def missing_event_target(graph: Graph, resource: Resource) -> Iterator[str]:
    if is_disabled(resource):
        return
    targets = graph.users(resource, "events.target", "rule")
    astray = [target for target in targets if not _on_its_bus(graph, target, resource)]
    if targets and astray == targets:
        yield f"its target {astray[0].label} names another bus, where it has no rule"
        return
    if not targets:
        yield "it has no target: what it matches wakes nobody"
    for target in targets:
        link = graph.link(target, "arn", "lambda.function")
        if link is None or target["role_arn"] is not None:
            continue
        permissions = graph.users(link.resource, "lambda.permission", "function_name")
        if any(not isinstance(each["principal"], str) for each in permissions):
            permissions[0].known("principal")
        allowed = [each for each in permissions if each["principal"] == "events.amazonaws.com"]
        if not allowed:
            yield f"{link.resource.label} does not allow EventBridge to call it"
        elif not any(_lets_in(graph, each, resource) for each in allowed):
            yield f"{link.resource.label} allows EventBridge to call it for other rules only"


def _on_its_bus(graph: Graph, target: Resource, resource: Resource) -> bool:
    """Return whether a target may name its rule's bus; without a name it is the default bus."""

    def bus(named: Value) -> str | None:
        if named is None or named == "default":
            return "default"
        links = graph.links(target, named, "events.bus")
        if links:
            return links[0].resource.id
        return named if isinstance(named, str) else None

    ours, theirs = bus(resource["event_bus_name"]), bus(target["event_bus_name"])
    return None in {ours, theirs} or ours == theirs


def _lets_in(graph: Graph, permission: Resource, resource: Resource) -> bool:
    """Return whether a permission may cover a rule: it names this one, all, or is unknown."""
    source = permission["source_arn"]
    named = [link.resource for link in graph.links(permission, source, "events.rule")]
    if named or not isinstance(source, str) or not isinstance(resource["name"], str):
        return not named or resource in named
    return matches(source.rpartition("/")[2], resource["name"])
