"""A record with a routing policy has a missing or misspelt set identifier.

## Why
Route 53 uses the set identifier to distinguish records of the same name. If it is missing, or its
property name is misspelt, the deployment fails and DNS cannot fail over.

## Fix
Give each record its own set identifier; the property name is singular.

```python
aws.route53.Record("primary", set_identifier="primary", failover_routing_policies=[
    aws.route53.RecordFailoverRoutingPolicyArgs(type="PRIMARY")])
```

```hcl
resource "aws_route53_record" "primary" {
  set_identifier = "primary"
  failover_routing_policy { type = "PRIMARY" }
}
```

```yaml
SetIdentifier: primary
Failover: PRIMARY
```

## Impact
RTO: DNS does not fail over; an operator edits records by hand, in us-east-1.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
"""

import difflib
from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown
from otherside.check.rule import RecoveryStep, Severity, rule

_POLICIES = (
    "failover_routing_policy",
    "weighted_routing_policy",
    "latency_routing_policy",
    "geolocation_routing_policy",
    "geoproximity_routing_policy",
    "cidr_routing_policy",
    "multivalue_answer_routing_policy",
)
_SPELT = ("set_identifier", "setIdentifier", "SetIdentifier")


@rule(
    "DR005",
    severity=Severity.HIGH,
    on="route53.record",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def missing_set_identifier(graph: Graph, record: Resource) -> Iterator[str]:
    identifier = "SetIdentifier" if record.dialect == "cloudformation" else "set identifier"
    for name in record.unknown_properties:
        if difflib.get_close_matches(name, _SPELT, 1, 0.8):
            yield f"it has {name}, which Route 53 does not know; the property is {identifier}"
            return
    policy = next((policy for policy in _POLICIES if record[policy] not in (None, False)), None)
    if policy is not None and record["set_identifier"] in {None, ""}:
        how = policy.replace("_", " ")
        yield f"it has a {how} and no {identifier}"
    elif policy is not None and (other := _namesake(graph, record)) is not None:
        where = f" in {other.region or other.stack}" if other.label == record.label else ""
        yield f"its set identifier {record['set_identifier']} is that of {other.label}{where}, too"


def _namesake(graph: Graph, record: Resource) -> Resource | None:
    """Return an earlier record of the same name, type, zone and set identifier."""
    seen: dict[tuple[object, ...], Resource] = graph.memoize("sets", lambda: _by_set(graph))
    first = seen.get(_set_of(graph, record) or ())
    return None if first is record else first


def _by_set(graph: Graph) -> dict[tuple[object, ...], Resource]:
    found: dict[tuple[object, ...], Resource] = {}
    for record in graph.of("route53.record"):
        key = _set_of(graph, record)
        if key is not None:
            found.setdefault(key, record)
    return found


def _set_of(graph: Graph, record: Resource) -> tuple[object, ...] | None:
    """Return what no two records may share, or `None` if any of it is not known.

    A zone that deployment tells, by a parameter, is the same for all records of its stack.
    """
    link = graph.link(record, "zone_id", "route53.zone", "data.route53_zone")
    zone = link.resource.id if link is not None else record["zone_id"]
    if isinstance(zone, Unknown) and zone.parameter is not None:
        zone = f"{record.stack}: {zone.parameter}"
    texts = [zone, record["name"], record["type"], record["set_identifier"]]
    if not all(isinstance(text, str) for text in texts):
        return None
    return (zone, str(record["name"]).rstrip(".").lower(), *texts[2:])
