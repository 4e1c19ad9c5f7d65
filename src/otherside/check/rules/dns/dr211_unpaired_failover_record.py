"""A failover record has no counterpart in another Region.

## Why
Route 53 returns a PRIMARY without a SECONDARY even when it is unhealthy, and two records that lead
to the same Region fail together. Either way, DNS has nowhere to fail over to.

## Fix
Give the name a PRIMARY and a SECONDARY record, each pointing to a different Region.

```python
for side, kind in (("primary", "PRIMARY"), ("standby", "SECONDARY")):
    aws.route53.Record(side, name="orders", set_identifier=side, ...)
```

```hcl
resource "aws_route53_record" "secondary" {
  name           = "orders"
  set_identifier = "secondary"
  failover_routing_policy { type = "SECONDARY" }
}
```

```yaml
Failover: SECONDARY
SetIdentifier: secondary
```

## Impact
RTO: DNS does not fail over; an operator edits records by hand.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-types.html
"""

from collections.abc import Iterator

from otherside.check.analysis.dns import (
    failover_records,
    failover_records_by_name,
    in_other_zone,
    may_be_same_name,
    name_of,
)
from otherside.check.analysis.sides import serving_region
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule


@rule(
    "DR211",
    severity=Severity.CRITICAL,
    on="route53.record",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-10", "NIST CP-7"),
    pair=True,
    lacking=True,
)
def unpaired_failover_record(graph: Graph, record: Resource) -> Iterator[str | RuleHit]:
    side = record["failover_routing_policy.type"]
    if side not in {"PRIMARY", "SECONDARY"}:
        return
    other = "SECONDARY" if side == "PRIMARY" else "PRIMARY"
    found = failover_records_by_name(graph, other).get(name_of(graph, record), [])
    same = [
        item
        for item in found
        if repr(item["type"]) == repr(record["type"]) and not in_other_zone(graph, record, item)
    ]
    if not same:
        _require_decided(graph, record, other)
        yield f"there is no {other} of its name"
        return
    here, there = serving_region(graph, record), serving_region(graph, same[0])
    if side == "SECONDARY" and here is not None and here == there:
        yield RuleHit(record, f"both records of its name lead to {here}", present=True)


def _require_decided(graph: Graph, record: Resource, other: str) -> None:
    """Raise `Unresolved` if a record that is not told may be the other of a failover record."""
    mine = name_of(graph, record)
    if not mine:
        record.known("name")
    for resource in (record, *failover_records(graph, other)):
        resource.known("type")
        if resource is not record and may_be_same_name(mine, name_of(graph, resource)):
            for item in (resource, record):
                item.known("name")
    for resource in graph.of("route53.record"):
        if name_of(graph, resource) in {mine, ""}:
            resource.known("failover_routing_policy.type")
