"""The standby's load balancer lacks a listener that the primary's has.

## Why
After DNS moves, users keep connecting to the same port. The standby refuses connections on a port
without a listener, and the primary's health check never reveals this in advance.

## Fix
Give both load balancers the same ports and protocols, with certificates in both Regions.

```python
for side in ("primary", "standby"):
    aws.lb.Listener(f"{side}-https", port=443, protocol="HTTPS", certificate_arn=certificate[side].arn)
```

```hcl
resource "aws_lb_listener" "https" {
  port            = 443
  protocol        = "HTTPS"
  certificate_arn = aws_acm_certificate.this.arn
} # in a module that both sides use
```

```yaml
Port: 443
Protocol: HTTPS
```

## Impact
RTO: the standby refuses the users that DNS sends to it.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
"""

from collections.abc import Iterator

from otherside.check.analysis.dns import failover_records
from otherside.check.analysis.load_balancing import forwards, listeners
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule


@rule(
    "DR306",
    severity=Severity.HIGH,
    on="route53.record",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-7"),
    pair=True,
    lacking=True,
)
def mismatched_listeners(graph: Graph, record: Resource) -> Iterator[RuleHit]:
    if record["failover_routing_policy.type"] != "PRIMARY":
        return
    ours = graph.link(record, "alias.name", "lb.load_balancer")
    others = graph.memoize("secondaries", lambda: _by_name(failover_records(graph, "SECONDARY")))
    for other in others.get(str(record["name"]), []):
        theirs = graph.link(other, "alias.name", "lb.load_balancer")
        if ours is None or theirs is None:
            continue
        left, right = _served(graph, ours.resource), _served(graph, theirs.resource)
        if left and right and left - right:
            missing = ", ".join(
                f"{protocol}:{port}" for port, protocol in sorted(left - right, key=str)
            )
            yield RuleHit(theirs.resource, f"it does not serve {missing}, and the primary's does")


def _by_name(records: list[Resource]) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for record in records:
        found.setdefault(str(record["name"]), []).append(record)
    return found


def _served(graph: Graph, balancer: Resource) -> set[tuple[object, object]]:
    return {
        (listener.known("port"), listener.text("protocol") or "HTTP")
        for listener in listeners(graph, balancer)
        if forwards(graph, listener)
    }
