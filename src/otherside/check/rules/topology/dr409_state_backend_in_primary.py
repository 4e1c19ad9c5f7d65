"""The deployment's own state is in the Region that fails.

## Why
Without the state, or the key of its secrets, nothing can be deployed: not the repair, not the way
back, not a new primary. It is needed most when the Region that keeps it is gone.

## Fix
Keep state and secrets' key in the standby or in a third Region, or under a multi-Region key.

```python
# pulumi stack init prod --secrets-provider "awskms://alias/pulumi?region=us-west-2"
```

```hcl
terraform {
  backend "s3" { region = "us-west-2" } # not the primary's
}
```

```yaml
# CloudFormation keeps a stack's state in the stack's Region: one stack for each Region.
```

## Impact
RTO: nothing but what is automated can be changed.
RPO: none by itself.

## See
- https://www.pulumi.com/docs/iac/concepts/secrets/
- https://developer.hashicorp.com/terraform/language/backend/s3
"""

from collections.abc import Iterator

from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR409",
    severity=Severity.MEDIUM,
    on="backend",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "NIST CP-2(8)", "NIST CP-9"),
)
def state_backend_in_primary(graph: Graph, backend: Resource) -> Iterator[str]:
    if backend.region is not None and backend.region == sides_of(graph).primary:
        yield f"it is in {backend.region}, the primary"
