"""The CIDR ranges of the two Regions' VPCs overlap.

## Why
VPCs with overlapping addresses cannot be peered, and a route cannot tell which VPC an address
belongs to. The problem surfaces when the application on one side must reach the writer on the
other, and fixing it means moving everything.

## Fix
Give each Region its own CIDR range.

```python
aws.ec2.Vpc("primary", cidr_block="10.0.0.0/16")
aws.ec2.Vpc("standby", cidr_block="10.1.0.0/16")
```

```hcl
cidr_block = "10.1.0.0/16" # the primary has 10.0.0.0/16
```

```yaml
CidrBlock: 10.1.0.0/16 # the primary has 10.0.0.0/16
```

## Impact
RTO: the Regions have no network path between them until one of the VPCs is rebuilt.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
"""

import contextlib
import ipaddress
import itertools
from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR206",
    severity=Severity.HIGH,
    on=("ec2.peering", "ec2.transit_gateway_peering"),
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-8"),
)
def overlapping_vpc_cidrs(graph: Graph, peering: Resource) -> Iterator[str]:
    if peering.kind == "ec2.transit_gateway_peering":
        near, far = (
            _attached(graph, peering, path)
            for path in ("transit_gateway_id", "peer_transit_gateway_id")
        )
    else:
        near, far = (_vpcs(graph, peering, path) for path in ("vpc_id", "peer_vpc_id"))
    pairs = dict.fromkeys(itertools.product(_networks(near), _networks(far)))
    for left, right in pairs:
        if left.version == right.version and left.overlaps(right):
            yield f"{left} and {right} overlap"


def _vpcs(graph: Graph, resource: Resource, path: str) -> list[Resource]:
    link = graph.link(resource, path, "ec2.vpc")
    return [link.resource] if link is not None else []


def _attached(graph: Graph, peering: Resource, path: str) -> list[Resource]:
    """Return the VPCs that are attached to the transit gateway at one end of a peering."""
    gateway = graph.link(peering, path, "ec2.transit_gateway")
    if gateway is None:
        return []
    attachments = graph.known_users(
        gateway.resource, "ec2.transit_gateway_attachment", "transit_gateway_id"
    )
    return [vpc for each in attachments for vpc in _vpcs(graph, each, "vpc_id")]


def _networks(vpcs: list[Resource]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for vpc in vpcs:
        with contextlib.suppress(ValueError):
            if isinstance(vpc["cidr_block"], str):
                found.append(ipaddress.ip_network(vpc["cidr_block"]))
    return found
