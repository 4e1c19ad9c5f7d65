"""A database does not export its logs.

## Why
Logs that are not exported to CloudWatch are lost with the instance. After a failover you cannot
find out why the old writer failed, and the promoted one, which inherits no setting, does not export
its logs either.

## Fix
Export the engine's logs from the clusters in both Regions.

```python
aws.rds.Cluster("standby", enabled_cloudwatch_logs_exports=["postgresql"])
```

```hcl
enabled_cloudwatch_logs_exports = ["postgresql"]
```

```yaml
EnableCloudwatchLogsExports: [postgresql]
```

## Impact
RTO: the root cause analysis has no data to start from.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.CloudWatch.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_LOGS = {
    "docdb": {"audit", "profiler"},
    "neptune": {"audit", "slowquery"},
    "aurora-postgresql": {"postgresql", "instance", "iam-db-auth-error"},
    "postgres": {"postgresql", "upgrade", "instance", "iam-db-auth-error"},
    "mysql": {"audit", "error", "general", "slowquery", "instance", "iam-db-auth-error"},
    "mariadb": {"audit", "error", "general", "slowquery", "iam-db-auth-error"},
    "sqlserver": {"agent", "error"},
    "oracle": {"alert", "audit", "listener", "trace", "oemagent"},
    "db2": {"diag.log", "notify.log"},
}
"""https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"""


@rule(
    "DR015",
    severity=Severity.MEDIUM,
    on=("rds.cluster", "rds.instance", "docdb.cluster", "neptune.cluster"),
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "PCI DSS 10.2.1", "HIPAA 164.312(b)", "NIST AU-2", "NIST AU-12"),
)
def unexported_database_logs(graph: Graph, database: Resource) -> Iterator[str]:
    del graph
    graph_database = database.kind == "neptune.cluster"
    exported = database.known(f"enable{'' if graph_database else 'd'}_cloudwatch_logs_exports")
    if not exported:
        yield "none of its logs are exported to CloudWatch"
        return
    own = database.kind.partition(".")[0]
    engine = own if own in _LOGS else database["engine"]
    known = [logs for part, logs in _LOGS.items() if isinstance(engine, str) and part in engine]
    names = set(map(str, exported)) if isinstance(exported, list) else {str(exported)}
    if known and not known[0] & names:
        yield f"{engine} has no logs of the name {', '.join(sorted(names))}"
