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
from otherside.check.model.values import Unknown, Unresolved, Value, shown
from otherside.check.rule import RecoveryStep, Severity, rule

_KEYS = {
    "rds.cluster": "kms_key_id",
    "rds.instance": "kms_key_id",
    "dynamodb.table": "server_side_encryption.kms_key_arn",
    "dynamodb.table_replica": "kms_key_arn",
    "rds.backup_replication": "kms_key_id",
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
    may_be = key.either if isinstance(key, Unknown) and key.either else (key,)
    found = {where for each in may_be for where in key_regions(graph, resource, each)}
    if region is None or not found or found == {region}:
        return
    if None in found or region in found:
        if len(found) > 1 and len(may_be) > 1:
            msg = f"{what} is under one key or another: {shown(key, 'a key')}"
            raise Unresolved(msg)
        return
    yield f"{what} is under a key of {' or '.join(sorted(map(str, found)))}"


def key_regions(graph: Graph, resource: Resource, key: Value) -> set[str | None]:
    """Return the Region of each key that a value may name; `None` stands for one that is unknown.

    An alias resolves in the Region that uses it; a multi-Region key has one ID in all of them.
    """
    if isinstance(key, str) and key.startswith("alias/"):
        return {None}
    if isinstance(key, Unknown) and any("()" in str(piece) for piece in key.text):
        return {None}  # made by a function: `replace(arn, one, other)`
    kinds = ("kms.key", "kms.replica_key", "kms.alias", "data.kms_key", "data.kms_alias")
    found = set()
    for link in graph.links(resource, key, *kinds):
        aliased = link.resource.kind == "kms.alias" and link.attribute == "name"
        shared = link.attribute in {"key_id", "id"} and (
            link.resource.kind == "kms.replica_key" or link.resource["multi_region"] is True
            if link.resource.kind in {"kms.key", "kms.replica_key"}
            else False
        )
        found.add(None if aliased or shared else link.resource.region)
    return found or {region_of(key)}


def _copies(graph: Graph, replication: Resource) -> Iterator[str]:
    for each in replication["rule"] if isinstance(replication["rule"], list) else ():
        target = each.get("destination") or {}
        key = (target.get("encryption_configuration") or {}).get("replica_kms_key_id")
        for link in graph.links(replication, target.get("bucket"), "s3.bucket"):
            where = link.resource.region
            yield from _judged(graph, replication, key, where, f"its copy in {where}")
