"""The deployment state is stored in the primary Region.

## Why
Without the state, or the key that encrypts its secrets, you cannot deploy anything: no repair, no
failback, no new primary. You need it most when the Region that stores it is down.

## Fix
Store the state and the secrets key in the standby or a third Region, or use a multi-Region key.

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
RTO: nothing can be changed except what is automated.
RPO: no direct effect.

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
    pair=True,
)
def state_backend_in_primary(graph: Graph, backend: Resource) -> Iterator[str]:
    primary = sides_of(graph).primary
    there = graph.of("backend", region=primary)
    if there[:1] == [backend]:  # one finding for all of them: they move together
        others = len(there) - 1
        as_well = f", as are those of {others} other roots" if others > 1 else ", as is another's"
        yield f"it is in {primary}, the primary{as_well if others else ''}"
