"""The failover function runs inside a VPC.

## Why
Inside a VPC, the function reaches AWS through a NAT gateway or VPC endpoints, and each is one more
thing that must work during the disaster. It calls only public AWS APIs, so it does not need a VPC.

## Fix
Run it outside any VPC.

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
RTO: the failover fails together with the network that it should recover from.
RPO: no direct effect.

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
