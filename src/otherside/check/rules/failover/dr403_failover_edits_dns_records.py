"""The failover edits DNS records.

## Why
Changing records needs Route 53's control plane, which runs only in us-east-1. A recovery that needs
it fails with that Region, or queues with every other customer. Health checks do not need it.

## Fix
Move DNS with health checks, and remove the permission.

```python
# no route53:ChangeResourceRecordSets in the function's role
```

```hcl
# no route53:ChangeResourceRecordSets in the function's role
```

```yaml
# no route53:ChangeResourceRecordSets in the function's role
```

## Impact
RTO: unbounded while us-east-1 is impaired; one hour with accelerated recovery.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/appendix-b---global-service-guidance.html
"""

from collections.abc import Iterator

from otherside.check.analysis.functions import code_of, orchestrators, rights_of, squeezed
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR403",
    severity=Severity.MEDIUM,
    on="lambda.function",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST AC-6", "NIST CP-10"),
)
def failover_edits_dns_records(graph: Graph, function: Resource) -> Iterator[str]:
    if function not in orchestrators(graph):
        return
    if "changeresourcerecordsets" in squeezed(code_of(graph, function)):
        yield "its code edits DNS records, which needs us-east-1"
    elif rights_of(graph, function).allow("route53:ChangeResourceRecordSets"):
        yield "it may edit DNS records, which needs us-east-1"
