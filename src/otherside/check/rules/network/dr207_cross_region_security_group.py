"""A security group rule names a group of another Region.

## Why
A security group can be referred to within its Region only, peering or not. The rule is refused, and
with it the way from one side's application to the other side's database.

## Fix
Name the other side's addresses.

```python
aws.vpc.SecurityGroupIngressRule("peer", security_group_id=group.id, cidr_ipv4="10.1.0.0/16",
    ip_protocol="tcp", from_port=5432, to_port=5432)
```

```hcl
resource "aws_vpc_security_group_ingress_rule" "peer" {
  security_group_id = aws_security_group.database.id
  cidr_ipv4         = "10.1.0.0/16"
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}
```

```yaml
CidrIp: 10.1.0.0/16
```

## Impact
RTO: the surviving application cannot reach the writer.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR207",
    severity=Severity.HIGH,
    on=("ec2.ingress_rule", "ec2.egress_rule"),
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 CC6.6", "NIST SC-7", "NIST CP-8"),
)
def cross_region_security_group(graph: Graph, resource: Resource) -> Iterator[str]:
    link = graph.link(resource, "referenced_security_group_id", "ec2.security_group")
    if link is None or None in {resource.region, link.resource.region}:
        return
    if link.resource.region != resource.region:
        yield f"it names {link.resource.label}, which is in {link.resource.region}"
