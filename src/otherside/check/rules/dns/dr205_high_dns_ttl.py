"""Resolvers keep the old answer for minutes after a failover.

## Why
What a record says is kept for its TTL: users go on to the dead Region that long, whatever Route 53
knows by then.

## Fix
Use alias records, whose TTL is 60 seconds, or set the TTL to 60 or less.

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
RTO: the TTL is added to it, whole.
RPO: none by itself.

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
