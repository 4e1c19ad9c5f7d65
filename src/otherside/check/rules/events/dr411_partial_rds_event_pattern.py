"""Event rules match only half of the RDS events about a failover.

## Why
RDS reports a global failover in cluster events, but reports in instance events whether it could
stop writes on the old side. A rule for cluster events alone misses the warning that two writers may
be open.

## Fix
Match both cluster events and instance events in both Regions.

```python
event_pattern=json.dumps({"source": ["aws.rds"],
    "detail-type": ["RDS DB Cluster Event", "RDS DB Instance Event"]})
```

```hcl
event_pattern = jsonencode({
  source      = ["aws.rds"]
  detail-type = ["RDS DB Cluster Event", "RDS DB Instance Event"]
})
```

```yaml
EventPattern:
  source: [aws.rds]
  detail-type: [RDS DB Cluster Event, RDS DB Instance Event]
```

## Impact
RTO: no direct effect.
RPO: no one is notified that the old writer may still accept writes.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Unresolved, unknowns
from otherside.check.rule import RecoveryStep, Severity, rule

_SUBSCRIPTIONS = (
    *("aws_db_event_subscription", "aws:rds/eventSubscription:EventSubscription"),
    "AWS::RDS::EventSubscription",
)
_CLUSTER, _INSTANCE = "RDS DB Cluster Event", "RDS DB Instance Event"


@rule(
    "DR411",
    severity=Severity.MEDIUM,
    on="events.rule",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4"),
)
def partial_rds_event_pattern(graph: Graph, resource: Resource) -> Iterator[str]:
    if not graph.of("rds.global_cluster") or _CLUSTER not in _types(resource):
        return
    heard = graph.memoize("heard", lambda: _heard(graph))[resource.region, _bus(resource)]
    if _INSTANCE not in heard:
        if None in heard:
            raise Unresolved(
                resource.undecided_because("event_pattern", "not known of a rule beside it")
            )
        if any(item.region == resource.region for item in graph.of(*_SUBSCRIPTIONS)):
            return  # people or functions hear them from RDS itself
        yield "it hears clusters, and no rule beside it hears instances"


def _heard(graph: Graph) -> dict[tuple[str | None, str], set[str | None]]:
    """Return the event types that the rules of each bus match between them."""
    found: dict[tuple[str | None, str], set[str | None]] = {}
    for item in graph.of("events.rule"):
        found.setdefault((item.region, _bus(item)), set()).update(_types(item))
    return found


def _bus(resource: Resource) -> str:
    named = resource["event_bus_name"]
    return "default" if named is None else str(named)


def _types(resource: Resource) -> list[str | None]:
    """Return the event types that a rule matches; `None` stands for an unknown type."""
    pattern = resource["event_pattern"]
    if isinstance(pattern, Unknown) or _unknown(pattern, "source"):
        return [None]
    sources = pattern.get("source") if isinstance(pattern, dict) else None
    if not isinstance(pattern, dict) or not isinstance(sources, list) or "aws.rds" not in sources:
        return []
    found = pattern.get("detail-type")
    if found is None:
        return [_CLUSTER, _INSTANCE]
    listed = found if isinstance(found, list) else [found]
    return [each if isinstance(each, str) else None for each in listed]


def _unknown(pattern: object, key: str) -> bool:
    return isinstance(pattern, dict) and any(True for _ in unknowns(pattern.get(key)))
