"""The standby runs in a single Availability Zone.

## Why
A zone fails far more often than a Region. A zone failure during a Region failure takes down a
single-zone standby.

## Fix
Spread the group over subnets in at least two zones.

```python
aws.autoscaling.Group("standby", vpc_zone_identifiers=[a.id, b.id])
```

```hcl
vpc_zone_identifier = [aws_subnet.a.id, aws_subnet.b.id]
```

```yaml
VPCZoneIdentifier: [!Ref SubnetA, !Ref SubnetB]
```

## Impact
RTO: a second outage during the first.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html
"""

from collections.abc import Iterator

from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR305",
    severity=Severity.MEDIUM,
    on="autoscaling.group",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.1", "NIST CP-7"),
    pair=True,
)
def single_az_standby(graph: Graph, group: Resource) -> Iterator[str]:
    if group.required_region() != sides_of(graph).standby:
        return
    zones = group["availability_zones"]
    if isinstance(zones, list):
        if len(set(map(str, zones))) == 1:
            yield f"all of it is in {zones[0]}"
        return
    subnets = group["vpc_zone_identifier"]
    if not isinstance(subnets, list):
        return
    if len(subnets) == 1 and not _several(graph, group):
        yield "all of it is in one subnet"
        return
    links = graph.links(group, subnets, "ec2.subnet")
    zones = {str(link.resource["availability_zone"]) for link in links}
    known = all(isinstance(link.resource["availability_zone"], str) for link in links)
    if len(zones) == 1 and known and len({link.resource.id for link in links}) >= len(subnets):
        yield f"all of its subnets are in {zones.pop()}"


def _several(graph: Graph, group: Resource) -> bool:
    """Return whether a single value may be an unknown list of several subnets."""
    (value,) = group["vpc_zone_identifier"]
    return isinstance(value, str) is False and not graph.links(group, value, "ec2.subnet")
