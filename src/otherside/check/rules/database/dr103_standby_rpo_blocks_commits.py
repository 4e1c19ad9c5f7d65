"""An RPO limit would block writes after a failover.

## Why
`rds.global_db_rpo` blocks commits while every secondary lags behind by more than its value. In the
standby's parameter group, it takes effect at failover, when no secondary is left.

## Fix
Keep the default in the standby's parameter group; elsewhere, set 20 seconds or more.

```python
aws.rds.ClusterParameterGroup("standby", family="aurora-postgresql16", parameters=[])
```

```hcl
resource "aws_rds_cluster_parameter_group" "standby" { family = "aurora-postgresql16" }
```

```yaml
Parameters: {rds.force_ssl: "1"} # and no rds.global_db_rpo
```

## Impact
RTO: the promoted writer accepts no writes until a new secondary has caught up.
RPO: the parameter limits it; use an alarm on replication lag instead.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from collections.abc import Iterator

from otherside.check.analysis.databases import is_secondary
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule

_PARAMETER = "rds.global_db_rpo"
_LEAST = 20


@rule(
    "DR103",
    severity=Severity.HIGH,
    on="rds.cluster",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def standby_rpo_blocks_commits(graph: Graph, cluster: Resource) -> Iterator[RuleHit]:
    link = graph.link(cluster, "db_cluster_parameter_group_name", "rds.cluster_parameter_group")
    if link is None or cluster["global_cluster_identifier"] is None:
        return
    for item in link.resource["parameter"] or ():
        if item.get("name") != _PARAMETER or not str(item.get("value", "")).lstrip("-").isdigit():
            continue
        value = int(str(item["value"]))
        if 0 <= value < _LEAST:
            yield RuleHit(link.resource, f"{_PARAMETER} is {value}; less than {_LEAST} is refused")
        elif value > 0 and is_secondary(graph, cluster):
            yield RuleHit(
                link.resource, f"{_PARAMETER} is {value} in the standby: it would block commits"
            )
