"""Everything is in one Region.

## Why
There is no other side: when the Region goes, everything is gone until it comes back.

## Fix
Choose a standby Region, and begin with what cannot be made again: the data. Where the other Region
is in another file, give both; where one Region is meant, say `--single-region-ok`.

```python
standby = aws.Provider("standby", region="us-west-2")
```

```hcl
provider "aws" {
  alias  = "standby"
  region = "us-west-2"
}
```

```yaml
# otherside check primary.yaml standby.yaml --region primary.yaml=us-east-2 --region standby.yaml=us-west-2
```

## Impact
RTO: as long as the Region is away.
RPO: none if it comes back whole; everything if it does not.

## See
- https://docs.aws.amazon.com/whitepapers/latest/disaster-recovery-workloads-on-aws/disaster-recovery-options-in-the-cloud.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import SYSTEM, RecoveryStep, Severity, rule


@rule(
    "DR400",
    severity=Severity.CRITICAL,
    on=SYSTEM,
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(B)", "NIST CP-6", "NIST CP-7"),
    alone=True,
)
def single_region(graph: Graph, system: Resource) -> Iterator[str]:
    del system
    if graph.regions:
        yield f"everything is in {graph.regions[0]}"
