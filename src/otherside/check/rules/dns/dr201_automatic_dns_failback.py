"""DNS fails back to the old primary as soon as it answers, but the writer does not.

## Why
Route 53 always prefers a healthy PRIMARY. When the old primary comes back after a failover, it no
longer has the writer: its load balancer answers, DNS sends users there, and their writes fail.

## Fix
Calculate the PRIMARY's health check from the endpoint and a latch that is released only when the
failover is over.

```python
aws.route53.HealthCheck("primary", type="CALCULATED", child_health_threshold=2,
    child_healthchecks=[endpoint.id, latch.id])
```

```hcl
resource "aws_route53_health_check" "primary" {
  type                   = "CALCULATED"
  child_health_threshold = 2
  child_healthchecks     = [aws_route53_health_check.endpoint.id, aws_route53_health_check.latch.id]
}
```

```yaml
HealthCheckConfig:
  Type: CALCULATED
  HealthThreshold: 2
  ChildHealthChecks: [!Ref Endpoint, !Ref Latch]
```

## Impact
RTO: a second outage after the first is over.
RPO: writes that the old primary still accepts are lost when it rejoins.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-types.html
- https://aws.amazon.com/blogs/networking-and-content-delivery/creating-disaster-recovery-mechanisms-using-amazon-route-53/
"""

from collections.abc import Iterator

from otherside.check.analysis.dns import aliased
from otherside.check.analysis.functions import promoters
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved
from otherside.check.rule import RecoveryStep, Severity, rule

_DEPTH_MAX = 10
_HELD = {"CLOUDWATCH_METRIC", "RECOVERY_CONTROL"}


@rule(
    "DR201",
    severity=Severity.HIGH,
    on="route53.record",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-10", "NIST CP-10(4)"),
)
def automatic_dns_failback(graph: Graph, record: Resource) -> Iterator[str]:
    if record["failover_routing_policy.type"] != "PRIMARY" or not promoters(graph):
        return
    if graph.of("arc.plan"):
        return
    for each in aliased(graph, record):
        if each["health_check_id"] is not None:
            yield from _by_check(graph, each)
            return
        if each["alias.evaluate_target_health"] is not True:
            return
    yield "it is primary again as soon as its load balancer is well"


def _by_check(graph: Graph, record: Resource) -> Iterator[str]:
    """Find a record that is well again as soon as its endpoint is."""
    check = graph.follow(record, "health_check_id", "route53.health_check")
    if check is not None and not _held(graph, check):
        yield f"nothing holds it back after a failover: {check.label} asks the endpoint only"


def _held(graph: Graph, check: Resource, depth: int = 0) -> bool:
    """Return whether the check depends on something besides the endpoint, whatever that says."""
    if check.text("type") in _HELD:
        return True
    children = graph.links(check, check["child_healthchecks"], "route53.health_check")
    if check["type"] == "CALCULATED" and not children:
        check.known("child_healthchecks")
    held = [depth < _DEPTH_MAX and _held(graph, link.resource, depth + 1) for link in children]
    needed = check.known("child_health_threshold")
    if any(held):
        return needed is None or int(needed) > held.count(False)
    if len(children) < len(check["child_healthchecks"] or ()):
        raise Unresolved(check.undecided_because("child_healthchecks", "not all known"))
    return False
