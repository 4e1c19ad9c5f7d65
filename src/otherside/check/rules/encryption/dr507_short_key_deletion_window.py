"""A key can be gone within days.

## Why
A database whose key is gone is gone: a member of a global database goes into a terminal state, a
replica of a table becomes a table of its own. The waiting time is the only time to notice.

## Fix
Wait as long as KMS allows, 30 days, and alarm on a scheduled deletion.

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
RTO: as long as a restore takes, if there is a copy under another key.
RPO: everything that was under the key.

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
