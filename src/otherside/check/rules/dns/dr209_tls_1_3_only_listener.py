"""An HTTPS health check probes a listener that accepts only TLS 1.3.

## Why
Route 53's health checkers support TLS 1.0 to 1.2. A listener that accepts only TLS 1.3 refuses
them, so the check fails from the start and DNS sends users to the standby.

## Fix
Use a security policy that also accepts TLS 1.2.

```python
aws.lb.Listener("https", ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06")
```

```hcl
ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
```

```yaml
SslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06
```

## Impact
RTO: DNS moves to the standby before anything has failed, or never moves back.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

from collections.abc import Iterator

from otherside.check.analysis.health_check_targets import asked
from otherside.check.analysis.load_balancing import listeners
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR209",
    severity=Severity.HIGH,
    on="route53.health_check",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 A1.2", "NIST SC-8", "NIST CP-10"),
)
def tls_1_3_only_listener(graph: Graph, check: Resource) -> Iterator[str]:
    if check["type"] not in {"HTTPS", "HTTPS_STR_MATCH"}:
        return
    for balancer in asked(graph, check):
        for listener in listeners(graph, balancer):
            if listener["port"] != (check.known("port") or 443):
                continue
            policy = listener.known("ssl_policy")
            if isinstance(policy, str) and "-TLS13-1-3-" in policy:
                yield f"{listener.label} speaks TLS 1.3 only ({policy}), which Route 53's checkers do not"
