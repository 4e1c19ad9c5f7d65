"""A secondary cluster has no instance.

## Why
A cluster without an instance stores data but serves no queries: AWS refuses to fail over to it
until it has an instance, and adding one takes 15 minutes if the Region has capacity at all.

## Fix
Give the secondary cluster at least one instance of the writer's class.

```python
aws.rds.ClusterInstance("standby-1", cluster_identifier=standby.id, engine=standby.engine,
    instance_class="db.r6g.large", opts=pulumi.ResourceOptions(provider=standby_provider))
```

```hcl
resource "aws_rds_cluster_instance" "standby" {
  provider           = aws.standby
  cluster_identifier = aws_rds_cluster.standby.id
  engine             = aws_rds_cluster.standby.engine
  instance_class     = "db.r6g.large"
}
```

```yaml
StandbyInstance:
  Type: AWS::RDS::DBInstance
  Properties: {DBClusterIdentifier: !Ref StandbyCluster, Engine: aurora-postgresql, DBInstanceClass: db.r6g.large}
```

## Impact
RTO: 15 to 30 minutes longer, if a Region that everyone fails over to has capacity.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from collections.abc import Iterator

from otherside.check.analysis.databases import instances, is_secondary
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR101",
    severity=Severity.CRITICAL,
    on="rds.cluster",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(B)", "NIST CP-7", "NIST CP-10"),
    lacking=True,
)
def headless_secondary_cluster(graph: Graph, cluster: Resource) -> Iterator[str]:
    if not instances(graph, cluster) and is_secondary(graph, cluster):
        yield "it has no instance, so nothing can be promoted"
