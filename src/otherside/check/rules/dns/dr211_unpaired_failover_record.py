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

from otherside.check.analysis.dns import failover_records
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
    same = _by_name(graph, other).get(_key(record), [])
    if not same:
        for resource in (record, *failover_records(graph, other)):
            resource.known("name")
            resource.known("type")
        for other_record in graph.of("route53.record"):
            if _plain(other_record["name"]) in {_plain(record["name"]), ""}:
                other_record.known("failover_routing_policy.type")
        yield f"there is no {other} of its name"
        return
    here, there = serving_region(graph, record), serving_region(graph, same[0])
    if side == "SECONDARY" and here is not None and here == there:
        yield RuleHit(record, f"both records of its name lead to {here}", present=True)


def _by_name(graph: Graph, side: str) -> dict[tuple[str, str], list[Resource]]:
    """Return the failover records of a side by name and type, made once for all records."""

    def index() -> dict[tuple[str, str], list[Resource]]:
        found: dict[tuple[str, str], list[Resource]] = {}
        for record in failover_records(graph, side):
            found.setdefault(_key(record), []).append(record)
        return found

    return graph.memoize(f"failover records by name {side}", index)


def _key(record: Resource) -> tuple[str, str]:
    return _plain(record["name"]), repr(record["type"])


def _plain(name: object) -> str:
    """Return a name in the form in which DNS compares it."""
    return name.rstrip(".").lower() if isinstance(name, str) else ""
