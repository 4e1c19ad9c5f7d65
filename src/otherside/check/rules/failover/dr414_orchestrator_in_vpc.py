"""The failover function runs inside a VPC.

## Why
In a VPC it reaches AWS through a NAT gateway or endpoints, and each of them is one more thing that
has to work on the day. It calls AWS's public interfaces, and needs none of it.

## Fix
Run it outside of any VPC.

```python
aws.lambda_.Function("failover") # no vpc_config
```

```hcl
resource "aws_lambda_function" "failover" {} # no vpc_config
```

```yaml
FailoverFunction: {Type: AWS::Lambda::Function} # no VpcConfig
```

## Impact
RTO: the failover fails with the network that it was to save.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
"""

from collections.abc import Iterator

from otherside.check.analysis.functions import callers, promoters, unique
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR414",
    severity=Severity.MEDIUM,
    on="lambda.function",
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 A1.2", "NIST CP-2(8)"),
)
def orchestrator_in_vpc(graph: Graph, function: Resource) -> Iterator[str]:
    if function["vpc_config.subnet_ids"] and function in unique(promoters(graph), callers(graph)):
        yield "it reaches AWS through a VPC"
