"""The next deployment after a failover would revert it.

## Why
A failover swaps the source and the replica cluster, but the code still describes the old roles. A
deployment in the following hours treats the difference as drift and reverts it.

## Fix
Ignore changes to the attributes that a failover changes, on both clusters.

```python
opts=pulumi.ResourceOptions(ignore_changes=["globalClusterIdentifier", "replicationSourceIdentifier"])
```

```hcl
lifecycle { ignore_changes = [global_cluster_identifier, replication_source_identifier] }
```

```yaml
# CloudFormation does not correct what it has not changed: nothing to do.
```

## Impact
RTO: a deployment can detach the serving cluster days after the disaster.
RPO: all writes since the failover, if that happens.

## See
- https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/rds_cluster
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.schema import camel
from otherside.check.model.values import Unresolved
from otherside.check.rule import RecoveryStep, Severity, rule

_CHANGED = ("global_cluster_identifier", "replication_source_identifier")


@rule(
    "DR105",
    severity=Severity.MEDIUM,
    on="rds.cluster",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 CC8.1", "NIST CM-3", "NIST CP-10"),
)
def deployment_reverts_failover(graph: Graph, cluster: Resource) -> Iterator[str]:
    del graph
    if cluster["global_cluster_identifier"] is None or cluster.dialect == "cloudformation":
        return
    if cluster.ignored is None:
        msg = f"what {cluster.label} ignores is not in this input; check the program or its source"
        raise Unresolved(msg)
    if "*" in cluster.ignored or "all" in cluster.ignored:
        return
    heeded = [item for item in _CHANGED if not {item, camel(item)} & set(cluster.ignored)]
    if heeded:
        yield f"changes of {' and '.join(heeded)} are not ignored"
