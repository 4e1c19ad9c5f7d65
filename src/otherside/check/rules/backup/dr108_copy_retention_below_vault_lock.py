"""A backup's retention is outside what its vault's lock allows.

## Why
A locked or logically air-gapped vault rejects every recovery point that would expire before its
minimum retention, or after its maximum. The backup job, or only the copy job, fails without
notifying anyone.

## Fix
Set every lifecycle to between the minimum and the maximum retention of its destination vault.

```python
aws.backup.PlanRuleCopyActionArgs(destination_vault_arn=vault.arn,
    lifecycle=aws.backup.PlanRuleCopyActionLifecycleArgs(delete_after=35))
```

```hcl
copy_action {
  destination_vault_arn = aws_backup_vault.standby.arn
  lifecycle { delete_after = 35 } # the lock asks for 30
}
```

```yaml
CopyActions:
  - DestinationBackupVaultArn: !Ref StandbyVaultArn
    Lifecycle: {DeleteAfterDays: 35}
```

## Impact
RTO: there is nothing to restore from.
RPO: the age of the last backup before the lock.

## See
- https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Value
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR108",
    severity=Severity.HIGH,
    on="backup.plan",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(A)", "NIST CP-9"),
)
def copy_retention_below_vault_lock(graph: Graph, plan: Resource) -> Iterator[str]:
    for other_rule in plan["rule"] if isinstance(plan["rule"], list) else ():
        yield from _judged(
            graph, plan, other_rule.get("target_vault_name"), other_rule, "its backups"
        )
        for copy in other_rule.get("copy_action") or ():
            yield from _judged(graph, plan, copy.get("destination_vault_arn"), copy, "its copies")


def _judged(
    graph: Graph,
    plan: Resource,
    vault: Value,
    item: dict[str, Value],
    what: str,
) -> Iterator[str]:
    kept = (item.get("lifecycle") or {}).get("delete_after")
    for link in graph.links(plan, vault, "backup.vault"):
        held = link.resource
        # A logically air-gapped vault has its limits itself.
        for lock in (held, *graph.users(held, "backup.vault_lock", "backup_vault_name")):
            least, most = lock["min_retention_days"], lock["max_retention_days"]
            if isinstance(kept, int) and isinstance(least, int) and kept < least:
                yield f"{what} are kept {kept} days, and {held.label} takes none below {least}"
            if isinstance(kept, int) and isinstance(most, int) and kept > most:
                yield f"{what} are kept {kept} days, and {held.label} takes none above {most}"
            if kept is None and isinstance(most, int):
                yield f"{what} are kept for ever, and {held.label} takes none above {most} days"
