"""A security group rule references a group in another Region.

## Why
A security group can be referenced only within its Region, even over a peering. AWS rejects the
rule, so one side's application cannot reach the other side's database.

## Fix
Use the other side's CIDR range.

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
RPO: no direct effect.

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
