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

from otherside.check.analysis.dns import balancer_of, failover_records_by_name, name_of
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
    ours = balancer_of(graph, record)
    mine = name_of(graph, record)
    others = failover_records_by_name(graph, "SECONDARY").get(mine, []) if mine else []
    for other in others:
        theirs = balancer_of(graph, other)
        if ours is None or theirs is None:
            continue
        missing = _served(graph, ours.resource) - _served(graph, theirs.resource)
        opaque = {port for port, protocol in _served(graph, theirs.resource) if protocol == "TCP"}
        lacking = [
            f"{name}:{port}" for port, name in sorted(missing, key=str) if port not in opaque
        ]
        if lacking:
            why = f"it does not serve {', '.join(lacking)}, and the primary's does"
            yield RuleHit(theirs.resource, why)


def _redirects(listener: Resource) -> bool:
    """Return whether a listener leads users on: who comes to a port without one is refused."""
    actions = listener["default_action"]
    return any(
        isinstance(action, dict) and action.get("type") == "redirect"
        for action in (actions if isinstance(actions, list) else ())
    )


_ALIKE = {"TLS": "HTTPS", "TCP_UDP": "TCP"}
"""Protocols of network load balancers that serve the same users as an application's."""


def _served(graph: Graph, balancer: Resource) -> set[tuple[object, str]]:
    found = set()
    for listener in listeners(graph, balancer):
        if forwards(graph, listener) or _redirects(listener):
            protocol = listener.text("protocol") or "HTTP"
            found.add((listener.known("port"), _ALIKE.get(protocol, protocol)))
    return found
