"""The failover orchestrator runs in the primary Region.

## Why
A function in the primary Region fails together with it. It works every day except the day it is
needed.

## Fix
Run it in the standby Region, triggered by a schedule in that Region.

```python
aws.lambda_.Function("failover", opts=pulumi.ResourceOptions(provider=standby))
```

```hcl
resource "aws_lambda_function" "failover" { provider = aws.standby }
```

```yaml
# In the standby's template.
FailoverFunction: {Type: AWS::Lambda::Function}
```

## Impact
RTO: no failover starts automatically.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/appendix-b---global-service-guidance.html
"""

from collections.abc import Iterator

from otherside.check.analysis.functions import managed_orchestrators, promoters
from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR401",
    severity=Severity.CRITICAL,
    on="lambda.function",
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 A1.2", "NIST CP-7", "NIST CP-10", "NIST CP-2(8)"),
    pair=True,
)
def orchestrator_in_primary(graph: Graph, function: Resource) -> Iterator[str]:
    found = promoters(graph)
    if function not in found or managed_orchestrators(graph):
        return
    sides = sides_of(graph)
    if any(function.region not in {sides.primary, None} for function in found):
        return
    if function.required_region() == sides.primary:
        yield f"it may move the writer, and lives in {sides.primary}, as nobody else who may"
