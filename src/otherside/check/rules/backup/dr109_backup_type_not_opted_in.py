"""A backup plan selects what the Region's settings leave out.

## Why
AWS Backup skips a type of resource that the Region has not opted in: Aurora even where it is named
by its ARN. Copying a DynamoDB backup to another Region needs its advanced features, which are a
setting of their own. Both fail without a word in the plan.

## Fix
Opt in the types that are selected, in each Region, and let AWS Backup manage DynamoDB's backups.

```python
aws.backup.RegionSettings("standby", resource_type_opt_in_preference={"Aurora": True, "DynamoDB": True},
    resource_type_management_preference={"DynamoDB": True})
```

```hcl
resource "aws_backup_region_settings" "standby" {
  resource_type_opt_in_preference     = { Aurora = true, DynamoDB = true }
  resource_type_management_preference = { DynamoDB = true }
}
```

```yaml
# CloudFormation has no such resource: `aws backup update-region-settings` in each Region.
```

## Impact
RTO: there is nothing to restore from.
RPO: everything that was meant to be in the backup.

## See
- https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Value
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule

_TYPES = {"rds.cluster": "Aurora", "rds.instance": "RDS", "dynamodb.table": "DynamoDB"}


@rule(
    "DR109",
    severity=Severity.HIGH,
    on="backup.selection",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(A)", "NIST CP-9"),
)
def backup_type_not_opted_in(graph: Graph, selection: Resource) -> Iterator[RuleHit]:
    links = graph.links(selection, selection["resources"], *_TYPES)
    chosen = {_TYPES[link.resource.kind] for link in links}
    for settings in graph.of("backup.region_settings", region=selection.here()):
        for type_ in sorted(chosen):
            if _off(settings["resource_type_opt_in_preference"], type_):
                yield RuleHit(
                    settings, f"{type_} is not opted in, and {selection.label} selects it"
                )
            elif type_ == "DynamoDB" and _off(
                settings["resource_type_management_preference"], type_
            ):
                yield RuleHit(
                    settings, "DynamoDB's backups are not AWS Backup's, so none can be copied"
                )


def _off(preference: Value, type_: str) -> bool:
    if preference is None or isinstance(preference, Unknown):
        return False
    value = preference.get(type_, False)
    return value in {False, "false"} if not isinstance(value, Unknown) else False
