"""A backup plan selects a resource type that the Region has not opted in.

## Why
AWS Backup skips resource types that the Region has not opted in; it skips Aurora even if a plan
names it by ARN. Copying a DynamoDB backup to another Region needs the advanced DynamoDB features,
which are a separate setting. The plan reports neither failure.

## Fix
Opt in the selected resource types in each Region, and let AWS Backup manage DynamoDB backups.

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
RPO: all data that the backup was meant to contain.

## See
- https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Value
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule

_OPTED = frozenset({"Aurora"})
"""Types that must be opted in even where a selection names their resources.
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html"""
_TYPES = {"rds.cluster": "Aurora", "rds.instance": "RDS", "dynamodb.table": "DynamoDB"}


@rule(
    "DR109",
    severity=Severity.HIGH,
    on="backup.selection",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(A)", "NIST CP-9"),
    lacking=True,
)
def backup_type_not_opted_in(graph: Graph, selection: Resource) -> Iterator[RuleHit]:
    links = graph.links(selection, selection["resources"], *_TYPES)
    chosen = {_TYPES[link.resource.kind] for link in links}
    for settings in graph.of("backup.region_settings", region=selection.required_region()):
        for type_ in sorted(chosen):
            opted_out = _off(settings["resource_type_opt_in_preference"], type_)
            if opted_out and type_ in _OPTED:
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
