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
from collections.abc import Iterator, Mapping

from otherside.check.analysis.functions import PURPOSE, code_of, squeezed
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Unresolved, Value, parts
from otherside.check.rule import RecoveryStep, Severity, rule

_LOSS = re.compile(r"allowdataloss(?!\W{0,3}(false|!1)\b)")
_CALLED = (".failoverglobalcluster(", "failoverglobalclustercommand")


@rule(
    "DR404",
    severity=Severity.CRITICAL,
    on=("lambda.function", "sfn.state_machine"),
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def failover_uses_switchover(graph: Graph, resource: Resource) -> Iterator[str]:
    if resource.kind == "sfn.state_machine":
        if isinstance(resource["definition"], Unknown) and PURPOSE.search(resource.label):
            resource.known("definition")
        careful = any(not _loss_allowed(call, resource) for call in _calls(resource["definition"]))
    else:
        code = squeezed(code_of(graph, resource))
        careful = any(item in code for item in _CALLED) and not _LOSS.search(code)
    if careful:
        yield "it calls FailoverGlobalCluster without AllowDataLoss"


def _calls(definition: Value) -> Iterator[Mapping[str, Value]]:
    """Yield the tasks of a state machine that move the writer of a global database."""
    for part in parts(definition):
        if isinstance(part, Mapping):
            called = part.get("Resource")
            if isinstance(called, str) and called.lower().endswith(":rds:failoverglobalcluster"):
                yield part


def _loss_allowed(call: Mapping[str, Value], machine: Resource) -> bool:
    """Return whether a task allows the loss, by its Parameters or, with JSONata, its Arguments.

    https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """
    given = call.get("Parameters", call.get("Arguments"))
    if not isinstance(given, Mapping):
        msg = f"what {machine.label} calls FailoverGlobalCluster with is known only when it runs"
        raise Unresolved(msg)
    return "AllowDataLoss.$" in given or given.get("AllowDataLoss", False) not in (False, None)
