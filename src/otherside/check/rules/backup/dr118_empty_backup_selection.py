"""A backup plan selects nothing.

## Why
A plan without a selection runs on schedule but backs up nothing. It reports no error, and leaves
nothing to restore.

## Fix
Select resources by ARN in each Region.

```python
aws.backup.Selection("standby", plan_id=plan.id, iam_role_arn=role.arn, resources=[cluster.arn])
```

```hcl
resource "aws_backup_selection" "standby" {
  plan_id      = aws_backup_plan.standby.id
  iam_role_arn = aws_iam_role.backup.arn
  name         = "all"
  resources    = [aws_rds_cluster.standby.arn]
}
```

```yaml
Selection:
  Type: AWS::Backup::BackupSelection
  Properties:
    BackupPlanId: !Ref Plan
    BackupSelection: {SelectionName: all, IamRoleArn: !GetAtt Role.Arn, Resources: [!GetAtt Cluster.DBClusterArn]}
```

## Impact
RTO: there is nothing to restore from.
RPO: all data.

## See
- https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR118",
    severity=Severity.HIGH,
    on="backup.plan",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(A)", "NIST CP-9"),
    lacking=True,
)
def empty_backup_selection(graph: Graph, plan: Resource) -> Iterator[str]:
    if not graph.users(plan, "backup.selection", "plan_id"):
        yield "nothing is selected for it"
