"""Two members of a global database have the same identifier.

## Why
A cluster's identifier must be unique across all Regions of its global database. AWS rejects the
second member, which is the one in the standby Region.

## Fix
Include the Region in each cluster's identifier.

```python
aws.rds.Cluster("standby", cluster_identifier=f"orders-{region}")
```

```hcl
cluster_identifier = "orders-${var.region}"
```

```yaml
DBClusterIdentifier: !Sub "orders-${AWS::Region}"
```

## Impact
RTO: there is no standby database.
RPO: the age of the last copied snapshot.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-getting-started.html
"""

from collections.abc import Iterator

from otherside.check.analysis.databases import members
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule


@rule(
    "DR114",
    severity=Severity.HIGH,
    on="rds.global_cluster",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "NIST CP-7"),
)
def duplicate_cluster_identifier(graph: Graph, group: Resource) -> Iterator[RuleHit]:
    seen: dict[str, Resource] = {}
    for cluster in members(graph, group):
        name = cluster["cluster_identifier"]
        if isinstance(name, str) and name in seen:
            yield RuleHit(cluster, f"it is called {name}, as {seen[name].name} is")
        elif isinstance(name, str):
            seen[name] = cluster
