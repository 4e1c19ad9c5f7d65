"""An encrypted secondary cluster does not name its source Region.

## Why
RDS creates an encrypted secondary with a signed request to the source Region, which it can make
only if it knows the Region. Without it, RDS rejects the cluster.

## Fix
Set the source Region to the primary's Region when you create the cluster.

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
RPO: the age of the last copied snapshot.

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
