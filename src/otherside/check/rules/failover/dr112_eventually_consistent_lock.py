"""The failover lock is in a table that two Regions can write at the same time.

## Why
A global table is eventually consistent by default: DynamoDB evaluates a conditional write only in
the Region that receives it. Deciders in two Regions can both acquire the lock, and both promote.

## Fix
Use multi-Region strong consistency with a witness, or restrict writes to one Region.

```python
aws.dynamodb.Table("state", replicas=[aws.dynamodb.TableReplicaArgs(region_name="us-east-2",
    consistency_mode="STRONG")], global_table_witness=aws.dynamodb.TableGlobalTableWitnessArgs(
    region_name="us-east-1"))
```

```hcl
replica {
  region_name      = "us-east-2"
  consistency_mode = "STRONG"
}
global_table_witness { region_name = "us-east-1" }
```

```yaml
MultiRegionConsistency: STRONG
GlobalTableWitnesses: [{Region: us-east-1}]
```

## Impact
RTO: no direct effect.
RPO: two writers, one of which loses its data.

## See
- https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.functions import orchestrators
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import require_known
from otherside.check.rule import RecoveryStep, Severity, rule

_LOCK = re.compile(r"lock|lease|state|leader|fence", re.IGNORECASE)


@rule(
    "DR112",
    severity=Severity.CRITICAL,
    on="dynamodb.table",
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 PI1.3", "NIST CP-10", "NIST SC-24"),
)
def eventually_consistent_lock(graph: Graph, table: Resource) -> Iterator[str]:
    replicas = table["replica"]
    separate = graph.known_users(table, "dynamodb.table_replica", "global_table_arn")
    if not separate and (not isinstance(replicas, list) or not replicas):
        return
    held = graph.memoize("locks", lambda: _locks(graph)).get(table.id)
    if held is not None and not any(
        require_known(replica.get("consistency_mode")) == "STRONG" for replica in replicas or ()
    ):
        yield f"{held.label} keeps its state in it, and it is eventually consistent"


def _locks(graph: Graph) -> dict[str, Resource]:
    """Return the tables that hold failover state, each with a function that uses it."""
    found: dict[str, Resource] = {}
    for function in orchestrators(graph):
        environment = function["environment"]
        for name, value in (environment or {}).items() if isinstance(environment, dict) else ():
            for link in graph.links(function, value, "dynamodb.table"):
                called = link.resource["name"]
                if _LOCK.search(f"{name} {called if isinstance(called, str) else ''}"):
                    found.setdefault(link.resource.id, function)
    return found
