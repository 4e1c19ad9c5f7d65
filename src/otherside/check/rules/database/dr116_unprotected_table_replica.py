"""A table's replica lacks the table's protection settings.

## Why
Each replica has its own point-in-time recovery and deletion protection; DynamoDB does not copy them
from the table. After a failover the replica becomes the table, and no change to it can be undone.

## Fix
Enable point-in-time recovery and deletion protection on each replica.

```python
aws.dynamodb.TableReplicaArgs(region_name="us-west-2", point_in_time_recovery=True,
    deletion_protection_enabled=True)
```

```hcl
replica {
  region_name                 = "us-west-2"
  point_in_time_recovery      = true
  deletion_protection_enabled = true
}
```

```yaml
Replicas:
  - Region: us-west-2
    DeletionProtectionEnabled: true
    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
```

## Impact
RTO: no effect on the failover itself.
RPO: errors made after the failover have no restore point.

## See
- https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import shown
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR116",
    severity=Severity.MEDIUM,
    on=("dynamodb.table", "dynamodb.table_replica"),
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(A)", "NIST CP-9"),
)
def unprotected_table_replica(graph: Graph, table: Resource) -> Iterator[str]:
    if table.kind == "dynamodb.table_replica":
        yield from _beside(graph, table)
        return
    for replica in table["replica"] if isinstance(table["replica"], list) else ():
        where = shown(replica.get("region_name"), "a Region")
        if table["point_in_time_recovery.enabled"] is True and not replica.get(
            "point_in_time_recovery"
        ):
            yield f"its replica in {where} has no point-in-time recovery, and the table has"
        protected = table["deletion_protection_enabled"] is True
        if protected and not replica.get("deletion_protection_enabled"):
            yield f"its replica in {where} can be deleted, and the table cannot"


def _beside(graph: Graph, replica: Resource) -> Iterator[str]:
    """Yield what a replica that is a resource of its own lacks beside its table."""
    table = graph.follow(replica, "global_table_arn", "dynamodb.table")
    if table is None:
        return
    if table["point_in_time_recovery.enabled"] is True and not replica["point_in_time_recovery"]:
        yield "this replica has no point-in-time recovery, and the table has"
    if table["deletion_protection_enabled"] is True and not replica["deletion_protection_enabled"]:
        yield "this replica can be deleted, and the table cannot"
