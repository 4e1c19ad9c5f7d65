"""The failover function's reserved concurrency is zero, so it can never run.

## Why
A reserved concurrency of zero turns a function off. Lambda throttles every invocation, while the
function still looks healthy.

## Fix
Reserve at least one, preferably two, or omit the setting.

```python
aws.lambda_.Function("failover", reserved_concurrent_executions=2)
```

```hcl
reserved_concurrent_executions = 2
```

```yaml
ReservedConcurrentExecutions: 2
```

## Impact
RTO: the failover does not start.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

from collections.abc import Iterator

from otherside.check.analysis.functions import orchestrators
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR408",
    severity=Severity.CRITICAL,
    on="lambda.function",
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def zero_reserved_concurrency(graph: Graph, function: Resource) -> Iterator[str]:
    if function["reserved_concurrent_executions"] == 0 and function in orchestrators(graph):
        yield "its reserved concurrency is 0: every call is throttled"
