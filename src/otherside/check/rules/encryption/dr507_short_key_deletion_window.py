"""A KMS key can be deleted within days.

## Why
A database without its key is lost: a member of a global database enters a terminal state, and a
table's replica becomes a separate table. The waiting period is the only chance to notice.

## Fix
Set the waiting period to KMS's maximum of 30 days, and alarm on scheduled deletions.

```python
aws.kms.Key("data", deletion_window_in_days=30)
```

```hcl
deletion_window_in_days = 30
```

```yaml
PendingWindowInDays: 30
```

## Impact
RTO: the duration of a restore, if a copy under another key exists.
RPO: all data under the key.

## See
- https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_LEAST_DAYS = 14


@rule(
    "DR507",
    severity=Severity.MEDIUM,
    on=("kms.key", "kms.replica_key"),
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "PCI DSS 3.7.5", "NIST SC-12(1)"),
)
def short_key_deletion_window(graph: Graph, key: Resource) -> Iterator[str]:
    del graph
    days = key["deletion_window_in_days"]
    if isinstance(days, int) and days < _LEAST_DAYS:
        yield f"it is gone {days} days after its deletion was asked for"
