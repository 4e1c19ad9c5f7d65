"""A resource uses a KMS key from another Region.

## Why
A KMS key works only in its own Region. AWS rejects a replica, copy or log group that names a key
from the other Region, or its data becomes unreadable when that Region fails.

## Fix
Use a key in the Region where the data is stored: each replica has its own.

```python
aws.dynamodb.TableReplicaArgs(region_name="us-west-2", kms_key_arn=standby_key.arn)
```

```hcl
kms_key_id = aws_kms_key.standby.arn # made by the provider of the same Region
```

```yaml
KmsKeyId: !GetAtt StandbyKey.Arn # of this stack
```

## Impact
RTO: the standby's data is unreadable.
RPO: all data, until the Region is back.

## See
- https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html
"""

from collections.abc import Iterator

from otherside.check.model.arn import region_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Value
from otherside.check.rule import RecoveryStep, Severity, rule

_KEYS = {
    "rds.cluster": "kms_key_id",
    "rds.instance": "kms_key_id",
    "dynamodb.table": "server_side_encryption.kms_key_arn",
    "secretsmanager.secret": "kms_key_id",
    "backup.vault": "kms_key_arn",
    "sns.topic": "kms_master_key_id",
    "sqs.queue": "kms_master_key_id",
    "logs.group": "kms_key_id",
    "events.bus": "kms_key_identifier",
}
_SOURCES = {
    "rds.cluster": "replication_source_identifier",
    "rds.instance": "replicate_source_db",
}


@rule(
    "DR501",
    severity=Severity.CRITICAL,
    on=(*_KEYS, "s3.replication", "s3.encryption"),
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 CC6.1", "HIPAA 164.312(a)(2)(iv)", "NIST SC-12", "NIST CP-9"),
)
def cross_region_kms_key(graph: Graph, resource: Resource) -> Iterator[str]:
    if resource.kind == "s3.replication":
        yield from _copies(graph, resource)
        return
    if resource.kind == "s3.encryption":
        for each in resource["rule"] or ():
            default = each.get("apply_server_side_encryption_by_default") or {}
            yield from _judged(
                graph, resource, default.get("kms_master_key_id"), resource.region, "it"
            )
        return
    yield from _judged(graph, resource, resource[_KEYS[resource.kind]], resource.region, "it")
    if resource.kind in _SOURCES:
        yield from _keyless_replica(graph, resource)
    if resource.kind in {"dynamodb.table", "secretsmanager.secret"}:
        for replica in resource["replica"] if isinstance(resource["replica"], list) else ():
            where = replica.get("region_name", replica.get("region"))
            key = replica.get("kms_key_arn", replica.get("kms_key_id"))
            if isinstance(where, str):
                yield from _judged(graph, resource, key, where, f"its replica in {where}")


def _keyless_replica(graph: Graph, replica: Resource) -> Iterator[str]:
    """Find an encrypted replica in another Region without a key; RDS takes none by itself.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html
    """
    link = graph.link(replica, _SOURCES[replica.kind], "rds.cluster", "rds.instance")
    if link is None or replica["kms_key_id"] is not None:
        return
    source, here = link.resource, replica.region
    if None in {source.region, here} or source.region == here:
        return
    if source["storage_encrypted"] is True or source["kms_key_id"] is not None:
        yield f"it copies an encrypted database of {source.region} and names no key of {here}"


def _judged(
    graph: Graph, resource: Resource, key: Value, region: str | None, what: str
) -> Iterator[str]:
    found = key_region(graph, resource, key)
    if None not in {found, region} and found != region:
        yield f"{what} is under a key of {found}"


def key_region(graph: Graph, resource: Resource, key: Value) -> str | None:
    """Return the Region of a key, or `None` if it is unknown."""
    if isinstance(key, str) and key.startswith("alias/"):
        return None  # an alias resolves in the Region that uses it
    for link in graph.links(resource, key, "kms.key", "kms.replica_key", "kms.alias"):
        return link.resource.region
    return region_of(key)


def _copies(graph: Graph, replication: Resource) -> Iterator[str]:
    for each in replication["rule"] if isinstance(replication["rule"], list) else ():
        target = each.get("destination") or {}
        key = (target.get("encryption_configuration") or {}).get("replica_kms_key_id")
        for link in graph.links(replication, target.get("bucket"), "s3.bucket"):
            where = link.resource.region
            yield from _judged(graph, replication, key, where, f"its copy in {where}")
