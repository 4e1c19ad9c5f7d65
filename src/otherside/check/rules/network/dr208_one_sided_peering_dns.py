"""A peering resolves private DNS names in one direction only.

## Why
Each side of a peering has its own setting, in its own Region, for resolving the other side's names
to private addresses. If only one side sets it, resolution works today but not after a failover.

## Fix
Set the options on both sides after the peering has been accepted.

```python
aws.ec2.PeeringConnectionOptions("standby", vpc_peering_connection_id=accepter.id,
    accepter=aws.ec2.PeeringConnectionOptionsAccepterArgs(allow_remote_vpc_dns_resolution=True))
```

```hcl
resource "aws_vpc_peering_connection_options" "standby" {
  provider                  = aws.standby
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.standby.id
  accepter { allow_remote_vpc_dns_resolution = true }
}
```

```yaml
# CloudFormation cannot set these options; use a custom resource on both sides, or neither.
```

## Impact
RTO: names resolve to public addresses on one side, and connections time out.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR208",
    severity=Severity.MEDIUM,
    on="ec2.peering",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-8"),
)
def one_sided_peering_dns(graph: Graph, peering: Resource) -> Iterator[str]:
    if peering["peer_region"] is None:
        return
    accepters = graph.users(peering, "ec2.peering_accepter", "vpc_peering_connection_id")
    found = [peering, *accepters]
    found += [
        options
        for accepter in (peering, *accepters)
        for options in graph.users(accepter, "ec2.peering_options", "vpc_peering_connection_id")
    ]
    sides = {
        side
        for option in found
        for side in ("requester", "accepter")
        if option[f"{side}.allow_remote_vpc_dns_resolution"] is True
    }
    if len(sides) == 1:
        for peering_options in graph.of("ec2.peering_options"):
            graph.follow(peering_options, "vpc_peering_connection_id")
        for option in found:
            for side in {"requester", "accepter"} - sides:
                option.known(f"{side}.allow_remote_vpc_dns_resolution")
        yield f"only the {sides.pop()} resolves the other side's names"
