"""The failover edits DNS records.

## Why
Records are changed by Route 53's control plane, which is in us-east-1 alone. A recovery that needs
it fails with that Region, and waits in its queue with everybody else. Health checks need it not.

## Fix
Let health checks move DNS, and take the permission away.

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
RTO: unbounded while us-east-1 is impaired; an hour with accelerated recovery.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/appendix-b---global-service-guidance.html
"""

from collections.abc import Iterator

from otherside.check.analysis.functions import orchestrators, rights_of
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
    if rights_of(graph, function).allow("route53:ChangeResourceRecordSets"):
        yield "it may edit DNS records, which needs us-east-1"
