"""A rule forwards events to a third event bus.

## Why
EventBridge does not forward an event that came from another bus to a third bus, only to other
targets. The rule matches, but the event goes no further.

## Fix
Forward from each source directly to the final bus.

```python
for side in ("primary", "witness"):
    aws.cloudwatch.EventTarget(f"{side}-forward", arn=standby_bus.arn, role_arn=role.arn)
```

```hcl
arn = aws_cloudwatch_event_bus.standby.arn # from each Region's own rule
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

from collections.abc import Iterator

from otherside.check.model.arn import OWN, is_region, read_arn
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_DEFAULT = ("events", "event-bus/default")


@rule(
    "DR410",
    severity=Severity.HIGH,
    on="events.target",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4"),
)
def chained_event_forwarding(graph: Graph, target: Resource) -> Iterator[str]:
    onward = graph.link(target, "arn", "events.bus")
    rule_ = graph.link(target, "rule", "events.rule")
    if onward is None or rule_ is None:
        return
    own = graph.link(rule_.resource, "event_bus_name", "events.bus")
    if own is None:
        bus, senders = "the default bus", _to_default_bus(graph, rule_.resource)
    elif own.resource is onward.resource:
        return
    else:
        bus = own.resource.label
        senders = graph.known_users(own.resource, "events.target", "arn")
    if senders:
        yield (
            f"{bus} receives from {senders[0].label}, "
            f"and what it received is not delivered to {onward.resource.label}"
        )


def _to_default_bus(graph: Graph, onward: Resource) -> list[Resource]:
    """Return the targets elsewhere that send to the default bus that a rule listens to."""
    if onward["event_bus_name"] not in (None, "", "default") or not is_region(onward.region):
        return []

    def index() -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for target in graph.of("events.target"):
            arn = read_arn(target["arn"])
            if arn is None or (arn.service, arn.resource) != _DEFAULT:
                continue
            if not graph.accounts or arn.account in {OWN, *graph.accounts}:
                found.setdefault(arn.region, []).append(target)
        return found

    senders = graph.memoize("targets that are default buses", index).get(str(onward.region), [])
    return [
        target
        for target in senders
        if target.region != onward.region and _may_pass_on(graph, target, onward)
    ]


def _may_pass_on(graph: Graph, sender: Resource, onward: Resource) -> bool:
    """Return whether a rule takes anything that a target sends: both name a source in common.

    A default bus has its own Region's events as well, which may be forwarded once.
    """
    rule_ = graph.follow(sender, "rule", "events.rule")
    sent = _sources(rule_) if rule_ is not None else set()
    taken = _sources(onward)
    return sent is None or taken is None or bool(sent & taken)


def _sources(resource: Resource) -> set[str] | None:
    """Return the sources that a rule's pattern names, or `None` if it takes any."""
    pattern = resource.known("event_pattern")
    if pattern is None:
        return set()  # a schedule takes no event
    named = pattern.get("source") if isinstance(pattern, dict) else None
    plain = isinstance(named, list) and all(isinstance(each, str) for each in named)
    return set(named or ()) if plain else None
