"""A vault outside production is locked permanently.

## Why
`changeable_for_days` puts the lock into compliance mode: after that grace period no one, not even
AWS or the root user, can shorten it or delete the vault's contents. In a test environment the bill
never ends, and people get used to the mistake.

## Fix
Omit the grace period to get a governance lock, and reserve compliance mode for production.

```python
aws.backup.VaultLockConfiguration("standby", backup_vault_name=vault.name, min_retention_days=7)
```

```hcl
resource "aws_backup_vault_lock_configuration" "standby" {
  backup_vault_name  = aws_backup_vault.standby.name
  min_retention_days = 7 # and no changeable_for_days
}
```

```yaml
LockConfiguration: {MinRetentionDays: 7}
```

## Impact
RTO: not affected.
RPO: not affected; the cost is permanent.

## See
- https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
"""

import re
from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_PLAY = re.compile(
    r"(^|[-_./])(dev|test|qa|staging|stage|sandbox|demo|preview)([-_./]|$)", re.IGNORECASE
)


@rule(
    "DR119",
    severity=Severity.MEDIUM,
    on="backup.vault_lock",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "NIST CP-9"),
)
def irreversible_vault_lock(graph: Graph, lock: Resource) -> Iterator[str]:
    if lock.known("changeable_for_days") is None:
        return
    link = graph.link(lock, "backup_vault_name", "backup.vault")
    name = link.resource["name"] if link is not None else lock["backup_vault_name"]
    if isinstance(name, str) and _PLAY.search(name):
        yield f"{name} is not production's, and its lock can never be taken back"
