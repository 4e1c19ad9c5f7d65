"""The next deployment after a failover would revert it.

## Why
A failover swaps the source and the replica cluster, but the code still describes the old roles. A
deployment in the following hours treats the difference as drift and reverts it. An instance that was
a replica of another Region's is none once it is promoted; the provider cannot make it one again, so
no deployment succeeds until somebody has edited the code, in the middle of the disaster.

## Fix
Ignore changes to the attributes that a failover changes, on both clusters or on the replica.

```python
opts=pulumi.ResourceOptions(ignore_changes=["globalClusterIdentifier", "replicationSourceIdentifier"])
```

```hcl
lifecycle { ignore_changes = [global_cluster_identifier, replication_source_identifier] }
# of an instance that is a replica:
lifecycle { ignore_changes = [replicate_source_db] }
```

```yaml
# CloudFormation does not correct what it has not changed: nothing to do.
```

## Impact
RTO: a deployment can detach the serving cluster days after the disaster.
RPO: all writes since the failover, if that happens.

## See
- https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/rds_cluster
- https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance
- https://github.com/hashicorp/terraform-provider-aws/issues/4419
"""

from collections.abc import Iterator

from otherside.check.analysis.databases import follows_afar
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.schema import camel
from otherside.check.model.values import Unresolved
from otherside.check.rule import RecoveryStep, Severity, rule

_CHANGED = {
    "rds.cluster": ("global_cluster_identifier", "replication_source_identifier"),
    "rds.instance": ("replicate_source_db",),
}


@rule(
    "DR105",
    severity=Severity.MEDIUM,
    on=tuple(_CHANGED),
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 CC8.1", "NIST CM-3", "NIST CP-10"),
)
def deployment_reverts_failover(graph: Graph, database: Resource) -> Iterator[str]:
    if database.dialect == "cloudformation" or not _moves(graph, database):
        return
    if database.ignored is None:
        msg = f"what {database.label} ignores is not in this input; check the program or its source"
        raise Unresolved(msg)
    if "*" in database.ignored or "all" in database.ignored:
        return
    changed = _CHANGED[database.kind]
    heeded = [item for item in changed if not {item, camel(item)} & set(database.ignored)]
    if heeded:
        yield f"changes of {' and '.join(heeded)} are not ignored"


def _moves(graph: Graph, database: Resource) -> bool:
    """Return whether a failover changes what a database is."""
    if database.kind == "rds.instance":
        return follows_afar(graph, database)
    return database["global_cluster_identifier"] is not None
