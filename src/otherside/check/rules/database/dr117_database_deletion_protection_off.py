"""A single API call can delete a database.

## Why
During a recovery, people and pipelines work in a hurry on two databases that look alike. Without
deletion protection, one call deletes the wrong one together with its automated backups.

## Fix
Enable deletion protection on every member in both Regions.

```python
aws.rds.Cluster("standby", deletion_protection=True, skip_final_snapshot=False)
```

```hcl
deletion_protection = true
```

```yaml
DeletionProtection: true
```

## Impact
RTO: the duration of a restore.
RPO: everything since the last backup that survives the cluster.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_DeleteCluster.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR117",
    severity=Severity.MEDIUM,
    on=("rds.cluster", "rds.instance"),
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "NIST CP-9", "NIST SI-12"),
)
def database_deletion_protection_off(graph: Graph, database: Resource) -> Iterator[str]:
    del graph
    if database.known("deletion_protection") is not True:
        yield "nothing keeps it from being deleted"
