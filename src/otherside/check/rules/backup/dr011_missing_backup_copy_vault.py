"""Backups are copied to a vault that does not exist.

## Why
The destination vault was never created in the other Region, so every copy job fails. The backup
itself succeeds, but the other Region has nothing to restore from.

## Fix
Create a vault in the standby Region with a key of that Region, and use it as the destination.

```python
vault = aws.backup.Vault("standby", kms_key_arn=standby_key.arn,
    opts=pulumi.ResourceOptions(provider=standby))
copy = aws.backup.PlanRuleCopyActionArgs(destination_vault_arn=vault.arn)
```

```hcl
resource "aws_backup_vault" "standby" {
  provider    = aws.standby
  name        = "standby"
  kms_key_arn = aws_kms_key.standby.arn
}
```

```yaml
CopyActions:
  - DestinationBackupVaultArn: !Sub "arn:aws:backup:us-west-2:${AWS::AccountId}:backup-vault:standby"
```

## Impact
RTO: the standby Region has nothing to restore from.
RPO: the age of the last manual copy, if there is one.

## See
- https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html
"""

from collections.abc import Iterator

from otherside.check.analysis.backup_plans import destinations
from otherside.check.model.arn import Arn, read_arn, spelt
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR011",
    severity=Severity.HIGH,
    on="backup.plan",
    step=RecoveryStep.RESTORE,
    controls=(
        "SOC 2 A1.2",
        "PCI DSS 9.4.1",
        "HIPAA 164.308(a)(7)(ii)(A)",
        "NIST CP-6",
        "NIST CP-9",
    ),
    pair=True,
    lacking=True,
)
def missing_backup_copy_vault(graph: Graph, plan: Resource) -> Iterator[str]:
    for target in destinations(plan):
        text = spelt(target)
        arn = read_arn(text)
        if graph.links(plan, target, "backup.vault") or graph.find_arn(text) is not None:
            continue
        if arn is None or "*" in arn.resource:
            plan.known("rule")
        elif graph.ours(arn) and _may_be_there(graph, arn):
            msg = f"a vault of that name is made where the Region is not known, which may be {arn.region}"
            raise Unresolved(msg)
        elif graph.ours(arn) and arn.region in graph.regions:
            name = arn.resource.rpartition(":")[2]
            for vault in graph.of("backup.vault", region=arn.region):
                vault.known("name")
            yield f"it copies into the vault {name} in {arn.region}, which nobody makes"
        elif graph.ours(arn):
            yield f"it copies into {arn.region}, where nothing is made, and no vault either"


def _may_be_there(graph: Graph, arn: Arn) -> bool:
    """Return whether a vault of that name is made in a Region that the source does not say."""
    name = arn.resource.rpartition(":")[2]
    return any(
        vault.region is None and vault.attributes.get("name") == name
        for vault in graph.of("backup.vault")
    )
