"""An encrypted secondary does not say which Region it follows.

## Why
To make an encrypted secondary, RDS needs a signed request to the source's Region, which it can only
make when it is told the Region. Without it the cluster is refused.

## Fix
Name the primary's Region as the source Region when the cluster is made.

```python
aws.rds.Cluster("standby", storage_encrypted=True, source_region="us-east-2", kms_key_id=key.arn)
```

```hcl
source_region = "us-east-2"
```

```yaml
SourceRegion: us-east-2
```

## Impact
RTO: there is no standby database.
RPO: as old as the last copied snapshot.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
"""

from collections.abc import Iterator

from otherside.check.analysis.databases import is_secondary
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR115",
    severity=Severity.HIGH,
    on="rds.cluster",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "NIST CP-7"),
)
def secondary_without_source_region(graph: Graph, cluster: Resource) -> Iterator[str]:
    if cluster["source_region"] is not None or cluster["replication_source_identifier"] is not None:
        return
    if cluster["storage_encrypted"] is True and is_secondary(graph, cluster):
        yield "it is encrypted and names no source Region"
