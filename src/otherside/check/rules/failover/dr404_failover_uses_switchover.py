"""The failover requests a switchover.

## Why
`FailoverGlobalCluster` without `AllowDataLoss` is a switchover, which waits for a healthy primary.
In a disaster there is none, and the call fails.

## Fix
Set `AllowDataLoss` when the primary is down; use a switchover when it is up.

```python
rds.failover_global_cluster(GlobalClusterIdentifier=name, TargetDbClusterIdentifier=arn, AllowDataLoss=True)
```

```hcl
# in the function's code: AllowDataLoss=True
```

```yaml
# in the function's code: AllowDataLoss=True
```

## Impact
RTO: the failover never happens.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_FailoverGlobalCluster.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.functions import code_of, squeezed
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_LOSS = re.compile(r"allowdataloss(?!\W{0,3}(false|!1)\b)")
_CALLED = (".failoverglobalcluster(", "failoverglobalclustercommand")


@rule(
    "DR404",
    severity=Severity.CRITICAL,
    on="lambda.function",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def failover_uses_switchover(graph: Graph, function: Resource) -> Iterator[str]:
    code = squeezed(code_of(graph, function))
    if any(item in code for item in _CALLED) and not _LOSS.search(code):
        yield "it calls FailoverGlobalCluster without AllowDataLoss"
