"""A table or one of its replicas does not use a customer managed key.

## Why
A table's key belongs to its Region, so each replica uses its own customer managed key or an AWS
key. Data under an AWS key cannot be shared with another account, and does not satisfy policies that
require a customer managed key.

## Fix
Set a customer managed key on the table, and one from the replica's Region on each replica.

```python
aws.dynamodb.Table("sessions",
    server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=key.arn),
    replicas=[aws.dynamodb.TableReplicaArgs(region_name="us-west-2", kms_key_arn=standby_key.arn)])
```

```hcl
server_side_encryption {
  enabled     = true
  kms_key_arn = aws_kms_key.primary.arn
}
replica {
  region_name = "us-west-2"
  kms_key_arn = aws_kms_key.standby.arn
}
```

```yaml
SSESpecification: {SSEEnabled: true, SSEType: KMS}
Replicas:
  - Region: us-west-2
    SSESpecification: {KMSMasterKeyId: !Ref StandbyKeyArn}
```

## Impact
RTO: a restore into another account waits until the data has been re-encrypted.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
"""

from collections.abc import Iterator

from otherside.check.analysis.kms_keys import aws_key, owner_of_key
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Value, shown
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR014",
    severity=Severity.MEDIUM,
    on=("dynamodb.table", "dynamodb.table_replica"),
    step=RecoveryStep.RESTORE,
    controls=(
        "SOC 2 CC6.1",
        "PCI DSS 3.6.1",
        "HIPAA 164.312(a)(2)(iv)",
        "NIST SC-12",
        "NIST SC-28",
    ),
)
def table_without_customer_managed_key(graph: Graph, table: Resource) -> Iterator[str]:
    if table.kind == "dynamodb.table_replica":
        if aws_key(graph, table, "kms_key_arn") != "own":
            yield "this replica is not under a key of your own"
        return
    if table["hash_key"] == "LockID":
        return  # Terraform's lock: there is nothing in it to restore
    if table["server_side_encryption.enabled"] is False:
        yield "its encryption is disabled, which is AWS's own key, whatever key is named"
        return
    of_replicas = table.type == "AWS::DynamoDB::GlobalTable" and _has_every_replica(table)
    if not of_replicas and aws_key(graph, table, "server_side_encryption.kms_key_arn") != "own":
        yield "it is not under a key of your own"
    for replica in table["replica"] or ():
        if _owner(graph, table, replica) != "own":
            where = shown(replica.get("region_name"), "a Region")
            yield f"its replica in {where} is not under a key of your own"


def _has_every_replica(table: Resource) -> bool:
    """Return whether no replica of a global table stands for the table: it is all of them."""
    key = table["server_side_encryption.kms_key_arn"]
    return isinstance(table["replica"], list) and len(table["replica"]) > 1 and key is None


def _owner(graph: Graph, table: Resource, replica: Value) -> str:
    path = "replica"
    return owner_of_key(graph, table, replica.get("kms_key_arn"), path)
