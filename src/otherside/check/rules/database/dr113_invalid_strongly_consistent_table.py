"""A strongly consistent table has a configuration that DynamoDB rejects.

## Why
Multi-Region strong consistency needs exactly three Regions of one Region set, as three replicas or
two replicas and a witness, and a table without a TTL or local secondary indexes. DynamoDB rejects
anything else.

## Fix
Add one strongly consistent replica and one witness, or two replicas, from one Region set.

```python
replicas=[aws.dynamodb.TableReplicaArgs(region_name="us-east-2", consistency_mode="STRONG")],
global_table_witness=aws.dynamodb.TableGlobalTableWitnessArgs(region_name="us-east-1")
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
Replicas: [{Region: us-west-2}, {Region: us-east-2}]
GlobalTableWitnesses: [{Region: us-east-1}]
```

## Impact
RTO: the table is not created or not replicated, and the failover cannot store its state.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import require_known
from otherside.check.rule import RecoveryStep, Severity, rule

_SETS = (
    {"us-east-1", "us-east-2", "us-west-2"},
    {"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"},
    {"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"},
)
_THREE = 3


@rule(
    "DR113",
    severity=Severity.HIGH,
    on="dynamodb.table",
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def invalid_strongly_consistent_table(graph: Graph, table: Resource) -> Iterator[str]:
    del graph
    replicas = table["replica"] or []
    strong = [
        replica
        for replica in replicas
        if require_known(replica.get("consistency_mode")) == "STRONG"
    ]
    if not strong:
        return
    witness = table["global_table_witness.region_name"]
    members = [table.required_region(), *(replica.get("region_name") for replica in replicas)]
    members += [witness] if witness is not None else []
    if len(strong) != len(replicas):
        yield "some of its replicas are strongly consistent, and others are not"
    if len(members) != _THREE:
        yield f"it is in {len(members)} Regions with its witness, and strong consistency takes three"
    if all(isinstance(member, str) for member in members) and not any(
        set(members) <= s for s in _SETS
    ):
        yield f"{', '.join(map(str, members))} are not of one set of Regions"
    if table["ttl.enabled"] is True:
        yield "it has a TTL, which strong consistency does not allow"
    if table["local_secondary_index"]:
        yield "it has a local secondary index, which strong consistency does not allow"
