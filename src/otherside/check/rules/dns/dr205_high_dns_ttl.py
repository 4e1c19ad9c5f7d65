"""Resolvers cache the old answer for minutes after a failover.

## Why
Resolvers cache a record for its TTL, so users keep going to the dead Region for that long, even
after Route 53 has failed over.

## Fix
Use alias records, which have a TTL of 60 seconds, or set the TTL to 60 or less.

```python
aws.route53.Record("primary", ttl=60, records=[...])
```

```hcl
ttl = 60
```

```yaml
TTL: 60
```

## Impact
RTO: longer by the full TTL.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/best-practices-dns.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_ALLOWED_S = 60


@rule(
    "DR205",
    severity=Severity.MEDIUM,
    on="route53.record",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def high_dns_ttl(graph: Graph, record: Resource) -> Iterator[str]:
    del graph
    if record["failover_routing_policy.type"] is None or record["alias"] is not None:
        return
    ttl = record.known("ttl")
    if isinstance(ttl, int) and ttl > _ALLOWED_S:
        yield f"its TTL is {ttl} s"
