"""Members of a global database differ in engine version or instance class.

## Why
AWS refuses to move the writer between members with different major or minor versions. A smaller
instance accepts the writer and collapses under its load; global databases do not support burstable
classes.

## Fix
Give every member the writer's engine version and instance class.

```python
for side in (primary, standby):
    aws.rds.ClusterInstance(f"{side}-1", engine_version="16.8", instance_class="db.r6g.large", ...)
```

```hcl
locals { instance_class = "db.r6g.large" } # one place, both sides
```

```yaml
Parameters:
  InstanceClass: {Type: String, Default: db.r6g.large} # the same in both stacks
```

## Impact
RTO: AWS refuses the managed failover, or the promoted writer cannot carry the load.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-getting-started.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.databases import instances, is_secondary, members
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule

_SIZES = ("micro", "small", "medium", "large", "xlarge")


@rule(
    "DR102",
    severity=Severity.HIGH,
    on="rds.global_cluster",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.1", "NIST CP-7", "NIST CP-2(2)"),
)
def mismatched_global_database_members(graph: Graph, group: Resource) -> Iterator[RuleHit]:
    clusters = members(graph, group)
    writers = [cluster for cluster in clusters if not is_secondary(graph, cluster)]
    for reference in (writers or clusters)[:1]:
        yield from _versions(clusters, reference)
    largest = max((size(i) for writer in writers for i in instances(graph, writer)), default=0.0)
    for cluster in clusters:
        for instance in instances(graph, cluster):
            class_ = instance["instance_class"]
            if isinstance(class_, str) and class_.startswith("db.t"):
                yield RuleHit(
                    instance, f"{class_} is burstable, which a global database does not take"
                )
            elif cluster not in writers and 0 < size(instance) < largest:
                yield RuleHit(instance, f"{class_} is smaller than the writer's instances")


def _minor(version: object) -> str:
    """Return the major and minor parts of a version, as far as they are given."""
    if not isinstance(version, str):
        return ""
    engine = version.rpartition("mysql_aurora.")[2]
    return ".".join(engine.split(".")[: 3 if engine != version else 2])


def _versions(clusters: list[Resource], reference: Resource) -> Iterator[RuleHit]:
    """Find members whose version is not the writer's."""
    theirs = _minor(reference["engine_version"])
    for cluster in clusters:
        ours = _minor(cluster["engine_version"])
        if ours and theirs and not _agree(ours, theirs):
            yield RuleHit(
                cluster, f"its engine is {ours}, and that of {reference.name} is {theirs}"
            )


def _agree(version: str, other: str) -> bool:
    """Return whether two versions may be the same: `16` leaves the minor version to AWS."""
    return all(a == b for a, b in zip(version.split("."), other.split("."), strict=False))


def size(instance: Resource) -> float:
    """Return an instance's relative size, for comparison; 0 if it is unknown."""
    class_ = instance["instance_class"]
    match = (
        re.search(r"\.(\d*)(micro|small|medium|large|xlarge)$", class_)
        if isinstance(class_, str)
        else None
    )
    if match is None:
        return 0.0
    factor = int(match[1]) if match[1] else 1
    return float(2 ** _SIZES.index(match[2]) * factor)
