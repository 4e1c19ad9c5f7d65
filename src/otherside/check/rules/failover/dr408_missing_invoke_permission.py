"""The failover function may not run at all.

## Why
Reserved concurrency of zero is how a function is switched off. Every call is throttled, and the
function looks as whole as ever.

## Fix
Reserve at least one, better two, or leave the setting out.

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
RTO: the failover does not begin.
RPO: none by itself.

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
def missing_invoke_permission(graph: Graph, function: Resource) -> Iterator[str]:
    if function["reserved_concurrent_executions"] == 0 and function in orchestrators(graph):
        yield "its reserved concurrency is 0: every call is throttled"
