"""Everything is in one Region.

## Why
There is no standby: when the Region fails, everything is down until it comes back.

## Fix
Choose a standby Region, and start with what you cannot recreate: the data. If the other Region is
in another file, pass both; if a single Region is intended, pass `--single-region-ok`.

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
RTO: as long as the Region is down.
RPO: zero if the Region comes back intact; all data if it does not.

## See
- https://docs.aws.amazon.com/whitepapers/latest/disaster-recovery-workloads-on-aws/disaster-recovery-options-in-the-cloud.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved
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
    if graph.regions and (unread := graph.facts.get("unread")):
        msg = f"what was not read may be elsewhere: {unread}"
        raise Unresolved(msg)
    if graph.regions:
        yield f"everything is in {graph.regions[0]}"
