"""A database can be deleted by one call.

## Why
In a recovery people and pipelines work in a hurry on two databases that look alike. Without
deletion protection the wrong one is gone by one call, with its automated backups.

## Fix
Protect every member, in both Regions, from deletion.

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
RTO: as long as a restore takes.
RPO: everything since the last backup that outlives the cluster.

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
