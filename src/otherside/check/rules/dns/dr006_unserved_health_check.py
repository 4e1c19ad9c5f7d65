"""A health check probes a port that no listener serves, or one that always answers.

## Why
A check on a port or protocol without a listener fails from the start and sends users to the standby
although nothing is wrong. A redirecting listener answers 301 regardless of the application behind
it, and Route 53 counts 2xx and 3xx as healthy: the check never fails, and DNS never fails over.

## Fix
Match the protocol and port of a listener that forwards, and probe a path that depends on the
application.

```python
aws.route53.HealthCheck("primary", type="HTTPS", port=443, fqdn=balancer.dns_name,
    resource_path="/readyz", request_interval=10, failure_threshold=3)
```

```hcl
resource "aws_route53_health_check" "primary" {
  type          = "HTTPS"
  port          = 443
  fqdn          = aws_lb.primary.dns_name
  resource_path = "/readyz"
}
```

```yaml
HealthCheckConfig:
  Type: HTTPS
  Port: 443
  FullyQualifiedDomainName: !GetAtt LoadBalancer.DNSName
  ResourcePath: /readyz
```

## Impact
RTO: DNS never moves, or it moves to the standby before anything has failed.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

import ipaddress
from collections.abc import Iterator

from otherside.check.analysis.health_check_targets import asked, asked_machines, request_of
from otherside.check.analysis.internet_access import groups_without
from otherside.check.analysis.load_balancing import forwards, listeners
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import strings
from otherside.check.rule import RecoveryStep, Severity, rule

_PORTS = {"HTTP": 80, "HTTP_STR_MATCH": 80, "HTTPS": 443, "HTTPS_STR_MATCH": 443}
_HTTPS = 443
_EXAMPLES = ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:")
"""Addresses that stand for any in an example: https://www.rfc-editor.org/rfc/rfc5737."""
_OF_API = frozenset({"api_endpoint", "invoke_url", "ApiEndpoint"})
_SPEAKS = {"HTTP": {"HTTP", "TCP", "TCP_UDP"}, "HTTPS": {"HTTPS", "TLS", "TCP", "TCP_UDP"}}


@rule(
    "DR006",
    severity=Severity.HIGH,
    on=("route53.health_check", "lb.target_group"),
    step=RecoveryStep.DETECT,
    controls=("SOC 2 A1.2", "NIST CP-10", "NIST SI-4"),
)
def unserved_health_check(graph: Graph, check: Resource) -> Iterator[str]:
    if check.kind == "lb.target_group":
        yield from _matcher(check)
        return
    type_ = check.text("type") or ""
    if type_ not in {*_PORTS, "TCP"}:
        return
    if (unreachable := _unreachable(graph, check)) is not None:
        yield unreachable
        return
    if (plain := _plain_http(graph, check, type_)) is not None:
        yield plain
        return
    port = check.known("port") or _PORTS.get(type_) or 0
    for machine in asked_machines(graph, check):
        yield from _closed(graph, machine, "vpc_security_group_ids", port)
    for balancer in asked(graph, check):
        yield from _closed(graph, balancer, "security_groups", port)
        yield from _unlistened(graph, check, balancer, (type_, port))


def _unlistened(
    graph: Graph, check: Resource, balancer: Resource, by: tuple[str, int]
) -> Iterator[str]:
    """Find why a load balancer's listeners do not answer a check of a type at a port."""
    type_, port = by
    found = listeners(graph, balancer)
    there = [listener for listener in found if listener.known("port") == port]
    if not there:
        ports = ", ".join(f"{each['protocol'] or 'HTTP'}:{each['port']}" for each in found)
        if found:
            yield f"it asks {type_}:{port}, and {balancer.label} listens on {ports}"
        return
    spoken = _SPEAKS.get(type_.split("_")[0])
    protocol = there[0].text("protocol") or ("HTTPS" if port == _PORTS["HTTPS"] else "HTTP")
    if spoken is not None and protocol not in spoken:
        yield f"it asks by {type_.split('_')[0]}, and {there[0].label} speaks {protocol}"
    elif not forwards(graph, there[0], *request_of(graph, check, balancer)):
        wants_text = type_.endswith("_STR_MATCH")
        how = (
            "its answer has no such text"
            if wants_text
            else "the check says nothing of what is behind it"
        )
        yield f"{there[0].label} answers by itself (a redirect or a fixed response): {how}"


def _closed(graph: Graph, asked_for: Resource, path: str, port: int) -> Iterator[str]:
    groups = groups_without(graph, asked_for, path, port)
    if groups:
        names = " and ".join(group.label for group in groups)
        what = asked_for.label
        yield f"it asks {what} at {port}, and {names} lets nobody from the internet in there"


def _plain_http(graph: Graph, check: Resource, type_: str) -> str | None:
    """Return why an API of API Gateway does not answer: it speaks HTTPS at 443 and nothing else.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-faq.html
    """
    fqdn = check["fqdn"]
    named = any(".execute-api." in text for text in strings(fqdn))
    linked = any(link.attribute in _OF_API for link in graph.links(check, fqdn))
    port = check.known("port") or _PORTS.get(type_)
    if (named or linked) and (type_.startswith("HTTP_") or type_ == "HTTP" or port != _HTTPS):
        return f"it asks {type_}:{port}, and API Gateway listens on HTTPS:443 only"
    return None


def _unreachable(graph: Graph, check: Resource) -> str | None:
    """Return why Route 53's checkers, which are on the internet, have nothing to ask."""
    fqdn, address = check["fqdn"], check["ip_address"]
    if fqdn is None and address is None:
        return "it names neither a host nor an address, so there is nothing to ask"
    if isinstance(address, str):
        try:
            if not ipaddress.ip_address(address).is_global and not address.startswith(_EXAMPLES):
                return f"it asks {address}, which nobody reaches from the internet"
        except ValueError:
            return f"it asks {address}, which is no address"
    for balancer in asked(graph, check):
        if balancer["internal"] in {"true", "internal"}:
            return f"it asks {balancer.label}, which is internal: no checker reaches it"
    return None


def _matcher(group: Resource) -> Iterator[str]:
    matcher = group["health_check.matcher"]
    if not isinstance(matcher, str):
        return
    if group.known("protocol_version") == "GRPC":
        return  # a matcher of another kind
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if low.isdigit() and int(low) < 300 and int(high or low) >= 200:  # noqa: PLR2004 - HTTP's success
            return
    yield f"its matcher {matcher} takes no success for healthy"
