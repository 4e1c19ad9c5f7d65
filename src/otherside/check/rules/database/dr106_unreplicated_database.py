"""A database exists in one Region only.

## Why
If the Region fails, the data is lost with it: no other Region has a replica, and snapshots are not
copied out of the Region.

## Fix
Add a member in the standby Region, or at least copy backups there.

```python
aws.rds.Cluster("standby", global_cluster_identifier=group.id, source_region="us-east-2",
    opts=pulumi.ResourceOptions(provider=standby))
```

```hcl
resource "aws_rds_cluster" "standby" {
  provider                  = aws.standby
  global_cluster_identifier = aws_rds_global_cluster.this.id
}
```

```yaml
StandbyCluster:
  Type: AWS::RDS::DBCluster
  Properties: {GlobalClusterIdentifier: orders, Engine: aurora-postgresql}
```

## Impact
RTO: the duration of a restore, from whatever copy exists.
RPO: everything since the last copy that left the Region, possibly all data.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.backup_plans import destinations
from otherside.check.analysis.databases import members
from otherside.check.analysis.functions import code_of, squeezed
from otherside.check.analysis.iam import matches
from otherside.check.model.arn import read_arn
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved, Value, strings, unknowns
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR106",
    severity=Severity.CRITICAL,
    on=("rds.cluster", "rds.instance"),
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(A)", "NIST CP-6", "NIST CP-9"),
    pair=True,
    lacking=True,
)
def unreplicated_database(graph: Graph, database: Resource) -> Iterator[str]:
    replica = "replicate_source_db" if database.kind == "rds.instance" else None
    if replica is not None and database[replica] is not None:
        return  # it is the copy, wherever it is
    here = database.required_region()
    if _replicated(graph, database, here) or _copied(graph, database):
        return
    yield f"nothing of it leaves {here}"


def _replicated(graph: Graph, database: Resource, here: str) -> bool:
    if database.kind == "rds.cluster":
        path = "replication_source_identifier"
        if database[path] is not None or _member(graph, database, here):
            return True
        replicas = graph.users(database, "rds.cluster", path, anywhere=True)
        return any(replica.region != here for replica in replicas)
    replicas = graph.users(database, "rds.instance", "replicate_source_db", anywhere=True)
    if any(replica.region != here for replica in replicas):
        return True
    if database["automatic_backup_replication_region"] not in {None, here}:
        return True
    path = "source_db_instance_arn"
    return bool(graph.users(database, "rds.backup_replication", path, anywhere=True))


def _member(graph: Graph, cluster: Resource, here: str) -> bool:
    """Return whether a cluster's global cluster has a member in another Region."""
    group = graph.follow(cluster, "global_cluster_identifier", "rds.global_cluster")
    groups = [group] if group is not None else []
    if not groups:
        path = "source_db_cluster_identifier"
        groups = graph.users(cluster, "rds.global_cluster", path)
    if any(
        cluster.required_region() != here for each in groups for cluster in members(graph, each)
    ):
        return True
    for other_cluster in graph.of("rds.cluster") if groups else ():
        if other_cluster["global_cluster_identifier"] is not None:
            graph.follow(other_cluster, "global_cluster_identifier", "rds.global_cluster")
    return False


def _copied(graph: Graph, database: Resource) -> bool:
    """Return whether a backup plan copies its backups or a function copies its snapshots."""
    plans = [plan for plan in graph.of("backup.plan", region=database.region) if destinations(plan)]
    for plan in plans:
        for selection in graph.users(plan, "backup.selection", "plan_id"):
            resources = selection["resources"]
            if resources is None or resources == ["*"]:
                msg = f"whether {selection.label} selects {database.label} depends on its tags"
                raise Unresolved(msg)
            if any(link.resource is database for link in graph.links(selection, resources)):
                return True
            if any(_matches(database, item) for item in resources):
                return True
            if any(not unknown.refs for unknown in unknowns(resources)):
                selection.known("resources")
                raise Unresolved(selection.undecided_because("resources", "not all known"))
    return any(
        _copies(graph, function) for function in graph.of("lambda.function", "sfn.state_machine")
    )


def _matches(database: Resource, pattern: Value) -> bool:
    """Return whether a pattern of ARNs selects a database: `arn:aws:rds:*:*:cluster:*`."""
    arn = read_arn(pattern)
    if arn is None or arn.service != "rds" or arn.region not in {"*", "", database.region}:
        return False
    cluster = database.kind == "rds.cluster"
    kind, _, name = arn.resource.partition(":")
    own = database["cluster_identifier" if cluster else "identifier"]
    known = own if isinstance(own, str) else "?"
    return kind in {"cluster" if cluster else "db", "*"} and matches(name or "*", known)


def _copies(graph: Graph, resource: Resource) -> bool:
    """Return whether a function or a state machine copies snapshots.

    Raises:
        Unresolved: If its name suggests so and its code is unknown.
    """
    path = "source" if resource.kind == "lambda.function" else "definition"
    text = code_of(graph, resource) if path == "source" else " ".join(strings(resource[path]))
    plain = squeezed(text)
    if any(word in plain for word in ("copydbsnapshot", "copydbclustersnapshot")):
        return True
    if not text and re.search(
        "snapshot|backup|copy", resource.text("name") or resource.label, re.IGNORECASE
    ):
        resource.known(path)
    return False
