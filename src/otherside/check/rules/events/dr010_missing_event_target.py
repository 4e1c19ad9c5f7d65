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

from collections.abc import Iterator, Mapping
from functools import partial

from otherside.check.analysis.events import admits, is_disabled, trusts
from otherside.check.analysis.functions import unique
from otherside.check.analysis.iam import matches, may_be_same, rights
from otherside.check.model.arn import is_region, read_arn
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Value
from otherside.check.rule import RecoveryStep, Severity, rule

_SERVICE = "events.amazonaws.com"
_ADMITTED = {"sns.topic": "sns:Publish", "sqs.queue": "sqs:SendMessage"}
"""What EventBridge does to targets whose own policy must let it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
"""
_COMPARING = frozenset({"ArnEquals", "ArnLike", "StringEquals", "StringLike"})
_BY_ROLE = {
    "sfn.state_machine": "states:StartExecution",
    "firehose.stream": "firehose:PutRecord",
    "ecs.cluster": "ecs:RunTask",
}
"""What a target's role must allow, of targets that have no policy for EventBridge."""


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
        for problem in (
            _calls(graph, target, resource),
            _starts(graph, target) or _distrusted(graph, target),
        ):
            if problem:
                yield problem


def _calls(graph: Graph, target: Resource, resource: Resource) -> str | None:
    """Return why EventBridge may not call a target that is guarded by a policy of its own."""
    guarded = graph.link(target, "arn", *_ADMITTED)
    if guarded is not None and target["role_arn"] is None:
        action, label = _ADMITTED[guarded.resource.kind], guarded.resource.label
        if not admits(graph, guarded.resource, _SERVICE, action):
            return f"the policy of {label} does not allow EventBridge {action}"
        applies = partial(_applies, graph, resource)
        if not admits(graph, guarded.resource, _SERVICE, action, applies):
            return f"the policy of {label} allows EventBridge {action} for other rules only"
    link = graph.link(target, "arn", "lambda.function", "lambda.alias")
    if link is None or target["role_arn"] is not None:
        return None
    called = link.resource
    alias = called if called.kind == "lambda.alias" else None
    function = called if alias is None else graph.follow(called, "function_name", "lambda.function")
    assert function is not None
    found = [
        permission
        for item in unique([called], [function])
        for permission in graph.users(item, "lambda.permission", "function_name")
    ]
    permissions = [item for item in found if _of_version(graph, item, alias)]
    if any(not isinstance(each["principal"], str) for each in permissions):
        permissions[0].known("principal")
    allowed = [each for each in permissions if _lets_invoke(each)]
    if not allowed:
        return f"{called.label} does not allow EventBridge to call it"
    if not any(_may_be(graph, each, each["source_arn"], resource) for each in allowed):
        return f"{called.label} allows EventBridge to call it for other rules only"
    return None


def _lets_invoke(permission: Resource) -> bool:
    """Return whether a permission is for EventBridge, and for calls."""
    action = permission["action"]
    named = not isinstance(action, str) or matches(action, "lambda:InvokeFunction")
    return named and permission["principal"] in {_SERVICE, "*"}


def _of_version(graph: Graph, permission: Resource, alias: Resource | None) -> bool:
    """Return whether a permission may be for an alias, or else for the function without one.

    https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
    """
    qualifier, named = permission["qualifier"], permission["function_name"]
    if isinstance(named, Unknown) and len(named.text) > 1:
        return True  # the name is made of pieces, and an alias may be one
    if alias is None:
        return qualifier is None or isinstance(qualifier, Unknown)
    link = graph.link(permission, "function_name", "lambda.alias")
    if link is not None and link.attribute != "function_name":
        return True
    if isinstance(qualifier, Unknown):
        links = graph.links(permission, qualifier)
        return not links or alias in [link.resource for link in links]
    return qualifier is not None and (
        qualifier == alias["name"] or not isinstance(alias["name"], str)
    )


def _starts(graph: Graph, target: Resource) -> str | None:
    """Return why EventBridge may not start a target that only a role of its own may start."""
    link = graph.link(target, "arn", *_BY_ROLE)
    if link is None:
        return None
    action, label = _BY_ROLE[link.resource.kind], link.resource.label
    if target["role_arn"] is None:
        return f"its target {label} needs a role that allows {action}"
    role = graph.link(target, "role_arn", "iam.role")
    if role is not None and rights(graph, role.resource).allow(action) is False:
        return f"{role.resource.label}, the role of its target, does not allow {action}"
    return None


def _distrusted(graph: Graph, target: Resource) -> str | None:
    """Return why EventBridge may not take the role of a target."""
    role = graph.link(target, "role_arn", "iam.role")
    if role is None or trusts(graph, role.resource, _SERVICE):
        return None
    return f"{role.resource.label}, the role of its target, does not let EventBridge take it"


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


def _may_be(graph: Graph, holder: Resource, source: Value, resource: Resource) -> bool:
    """Return whether a source that a policy names may be a rule: this one, all, or unknown."""
    links = graph.links(holder, source)
    named = [link.resource for link in links if link.resource.kind == "events.rule"]
    if named:
        return resource in named
    whole = isinstance(source, Unknown) and source.whole is not None
    if whole and links and all(link.attribute == "arn" for link in links):
        return any(link.resource.kind.startswith("data.") for link in links)
    arn = read_arn(source)
    if arn is None:
        return True
    if is_region(arn.region) and is_region(resource.region) and arn.region != resource.region:
        return False
    bus = resource["event_bus_name"]
    own = _bus_name(graph, resource, bus)
    name = resource["name"] if isinstance(resource["name"], str) else "*"
    ours = f"rule/{name}" if own == "default" else f"rule/{own}/{name}"
    return may_be_same(arn.resource, ours)


def _applies(
    graph: Graph, resource: Resource, holder: Resource, statement: Mapping[str, Value]
) -> bool:
    """Return whether a statement's condition on the source may be met by a rule."""
    conditions = statement.get("conditions")
    for operator, tested in conditions.items() if isinstance(conditions, Mapping) else ():
        if operator not in _COMPARING or not isinstance(tested, Mapping):
            continue
        for key, values in tested.items():
            listed = values if isinstance(values, list) else [values]
            if key.lower() == "aws:sourcearn" and not any(
                _may_be(graph, holder, value, resource) for value in listed
            ):
                return False
    return True


def _bus_name(graph: Graph, resource: Resource, named: Value) -> str:
    """Return the name of a rule's bus, or `*` if it is not known."""
    if named is None:
        return "default"
    for link in graph.links(resource, named, "events.bus"):
        name = link.resource["name"]
        return name if isinstance(name, str) else "*"
    return named.rpartition(":event-bus/")[2] if isinstance(named, str) else "*"
