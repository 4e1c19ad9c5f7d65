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

import ipaddress
import itertools
from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR206",
    severity=Severity.HIGH,
    on="ec2.peering",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-8"),
)
def overlapping_vpc_cidrs(graph: Graph, peering: Resource) -> Iterator[str]:
    ends = [graph.link(peering, path, "ec2.vpc") for path in ("vpc_id", "peer_vpc_id")]
    cidrs = [end.resource["cidr_block"] for end in ends if end is not None]
    try:
        nets = [ipaddress.ip_network(cidr) for cidr in cidrs if isinstance(cidr, str)]
    except ValueError:
        return
    for left, right in itertools.pairwise(nets):
        if left.version == right.version and left.overlaps(right):
            yield f"{left} and {right} overlap"
