"""RDS manages a global database's password, which AWS does not support.

## Why
A cluster whose password RDS manages in Secrets Manager cannot join a global database: AWS refuses
to add the second Region until you turn the integration off.

## Fix
Keep the password in your own secret and replicate it to the standby.

```python
aws.rds.Cluster("primary", master_password_wo=password, master_password_wo_version=1)
```

```hcl
resource "aws_rds_cluster" "primary" {
  master_password_wo         = ephemeral.random_password.db.result
  master_password_wo_version = 1
}
```

```yaml
MasterUserPassword: !Sub "{{resolve:secretsmanager:${DbSecret}:SecretString:password}}"
```

## Impact
RTO: there is no second Region to fail over to.
RPO: the age of the last copied snapshot.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR104",
    severity=Severity.HIGH,
    on="rds.cluster",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 CC6.1", "NIST CP-7"),
)
def managed_password_in_global_database(graph: Graph, cluster: Resource) -> Iterator[str]:
    if cluster["manage_master_user_password"] is not True:
        return
    joined = cluster["global_cluster_identifier"] is not None
    if joined or graph.users(cluster, "rds.global_cluster", "source_db_cluster_identifier"):
        yield "RDS manages its password, which a member of a global database does not allow"
