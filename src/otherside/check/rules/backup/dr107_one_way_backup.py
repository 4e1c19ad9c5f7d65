"""The standby Region makes no backups of its own.

## Why
Only the primary makes backups and copies them to the standby. After a failover the data lives in
the standby, where nothing backs up its changes: a mistake made there in the first days cannot be
undone.

## Fix
Create a backup plan in each Region, each copying to the other Region's vault.

```python
aws.backup.Plan("standby", rules=[...], opts=pulumi.ResourceOptions(provider=standby))
```

```hcl
resource "aws_backup_plan" "standby" {
  provider = aws.standby
  name     = "standby"
  rule { # target the standby's vault, copy to the primary's
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.standby.name
  }
}
```

```yaml
StandbyPlan:
  Type: AWS::Backup::BackupPlan # in the standby's stack, too
```

## Impact
RTO: no effect on the failover itself.
RPO: errors made after the failover have no restore point.

## See
- https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html
"""

from collections.abc import Iterator

from otherside.check.analysis.backup_plans import destinations
from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_DATA = ("rds.cluster", "rds.instance", "dynamodb.table", "s3.bucket")


@rule(
    "DR107",
    severity=Severity.MEDIUM,
    on="backup.plan",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(A)", "NIST CP-9"),
    pair=True,
    lacking=True,
)
def one_way_backup(graph: Graph, plan: Resource) -> Iterator[str]:
    if not destinations(plan):
        return
    sides = sides_of(graph)
    if plan.required_region() != sides.primary or graph.of("backup.plan", region=sides.standby):
        return
    if any(graph.of(kind, region=sides.standby) for kind in _DATA):
        yield f"{sides.standby} has no plan of its own: after a failover nothing is backed up"
