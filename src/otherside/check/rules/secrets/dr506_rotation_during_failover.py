"""A password may be rotated in the middle of a failover.

## Why
Rotation sets the password first in the database and then in the secret. If the database has moved
and the secret's Region is down, it changes only one of them and locks every client out.

## Fix
Check in the rotation function where the writer is, and wait while a failover is running.

```python
state = rds.describe_global_clusters(GlobalClusterIdentifier=name)["GlobalClusters"][0]
if state.get("FailoverState"):
    raise RuntimeError("a failover runs; try again later")
```

```hcl
# in the rotation function's code: ask DescribeGlobalClusters first
```

```yaml
# in the rotation function's code: ask DescribeGlobalClusters first
```

## Impact
RTO: clients stay locked out until an operator resets the password by hand.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from otherside.check.analysis.functions import code_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved
from otherside.check.rule import RecoveryStep, Severity, rule

_OF_APIS = re.compile(r"https?://|urllib|requests\.|httpx|http\.client|fetch\(")
_OF_DATABASES = re.compile(
    r"rds|db_?cluster|db_?instance|psycopg|pg8000|postgres|mysql|alter (user|role)|database",
    re.IGNORECASE,
)


@rule(
    "DR506",
    severity=Severity.MEDIUM,
    on="secretsmanager.rotation",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "NIST IA-5", "NIST CP-10"),
)
def rotation_during_failover(graph: Graph, rotation: Resource) -> Iterator[str]:
    if not graph.of("rds.global_cluster"):
        return
    link = graph.link(rotation, "rotation_lambda_arn", "lambda.function")
    code = code_of(graph, link.resource) if link is not None else ""
    if not code:
        msg = f"the code that rotates for {rotation.label} is not in what was read"
        raise Unresolved(msg)
    if not _careful(code):
        yield "its function never asks whether a failover runs"


@lru_cache(maxsize=256)
def _careful(code: str) -> bool:
    """Return whether code asks whether a failover runs, or rotates what none of them touches."""
    if _OF_APIS.search(code) and not _OF_DATABASES.search(code):
        return True
    return bool(re.search(r"describe_?global_?clusters|failover_?state", code, re.IGNORECASE))
