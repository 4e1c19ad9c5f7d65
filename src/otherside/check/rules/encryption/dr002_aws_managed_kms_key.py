"""Data is encrypted with an AWS managed key.

## Why
You cannot change the policy of an AWS managed key, so you cannot grant access to another Region,
account or service when a recovery needs it. AWS refuses to copy snapshots under such a key to
another account, and you can neither choose when it rotates nor disable it.

## Fix
Create a customer managed key with rotation in each Region, and use it.

```python
key = aws.kms.Key("data", enable_key_rotation=True, deletion_window_in_days=30)
aws.rds.Cluster("primary", storage_encrypted=True, kms_key_id=key.arn)
```

```hcl
resource "aws_kms_key" "data" {
  enable_key_rotation     = true
  deletion_window_in_days = 30
}
resource "aws_rds_cluster" "primary" {
  storage_encrypted = true
  kms_key_id        = aws_kms_key.data.arn
}
```

```yaml
StorageEncrypted: true
KmsKeyId: !GetAtt DataKey.Arn
```

## Impact
RTO: a restore into another account or Region waits until the data has been re-encrypted.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.Keys.html
"""

from collections.abc import Iterator

from otherside.check.analysis.kms_keys import aws_key, owner_of_key
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved, require_known
from otherside.check.rule import RecoveryStep, Severity, rule

_KEYS = {
    "rds.cluster": "kms_key_id",
    "rds.instance": "kms_key_id",
    "docdb.cluster": "kms_key_id",
    "neptune.cluster": "kms_key_arn",
    "redshift.cluster": "kms_key_id",
    "elasticache.replication_group": "kms_key_id",
    "efs.file_system": "kms_key_id",
    "ec2.volume": "kms_key_id",
    "secretsmanager.secret": "kms_key_id",
    "backup.vault": "kms_key_arn",
    "sqs.queue": "kms_master_key_id",
    "sns.topic": "kms_master_key_id",
}
_AIR_GAPPED = {
    "AWS::Backup::LogicallyAirGappedBackupVault",
    "aws_backup_logically_air_gapped_vault",
}
_ORIGINS = {
    "rds.cluster": ("snapshot_identifier", "restore_to_point_in_time"),
    "rds.instance": (
        *("snapshot_identifier", "restore_to_point_in_time", "source_db_cluster_identifier"),
    ),
}
"""What a database may be made from, whose encryption it then has."""
_IF = {
    "docdb.cluster": "storage_encrypted",
    "neptune.cluster": "storage_encrypted",
    "redshift.cluster": "encrypted",
    "elasticache.replication_group": "at_rest_encryption_enabled",
    "efs.file_system": "encrypted",
}
"""What says of other stores that they are encrypted: with AWS's own key unless they name one."""
_ALWAYS = {"secretsmanager.secret", "backup.vault"}
"""Kinds that are always encrypted: with the AWS managed key unless they name another."""


@rule(
    "DR002",
    severity=Severity.CRITICAL,
    on=(*_KEYS, "s3.encryption"),
    step=RecoveryStep.RESTORE,
    controls=(
        "SOC 2 CC6.1",
        "PCI DSS 3.6.1",
        "HIPAA 164.312(a)(2)(iv)",
        "NIST SC-12",
        "NIST SC-28",
    ),
)
def aws_managed_kms_key(graph: Graph, resource: Resource) -> Iterator[str]:
    if resource.kind == "s3.encryption":
        yield from _bucket(graph, resource)
        return
    if resource.type in _AIR_GAPPED:
        return  # by design, AWS owns this vault's key outside the account
    path = _KEYS[resource.kind]
    if resource.kind.startswith("rds."):
        encrypted = _encrypted(resource, path)
        if encrypted is False:
            yield _unencrypted(resource)
        if not encrypted:
            return
    whose = aws_key(graph, resource, path)
    if whose == "aws":
        yield "it is under AWS's own key"
    elif whose == "none" and (
        resource.kind in _ALWAYS
        or resource.kind.startswith("rds.")
        or (resource.kind in _IF and _keyless(resource))
    ):
        yield "it names no key, so it is under AWS's own"


def _keyless(store: Resource) -> bool:
    """Return whether a store is encrypted, and not as the snapshot is that it is made from."""
    restored = store.kind in _RESTORED and store["snapshot_identifier"] is not None
    return store.known(_IF[store.kind]) is True and not restored


_RESTORED = {"docdb.cluster", "neptune.cluster", "redshift.cluster"}


def _unencrypted(database: Resource) -> str:
    """Return what a database is without encryption of its own.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.html
    """
    if database.kind == "rds.cluster" and database["storage_encrypted"] is None:
        return "it names no key: it is under one that AWS owns, or, if older than 2026, under none"
    return "its storage is not encrypted at all"


def _encrypted(database: Resource, path: str) -> bool | None:
    """Return whether a database is encrypted, or `None` if another rule checks its key.

    Raises:
        Unresolved: If it inherits its encryption from what it is made from.
    """
    keyless = database[path] is None
    is_replica = database.kind == "rds.instance" and database["replicate_source_db"] is not None
    if is_replica and keyless:
        return None  # it uses its source's key or the Region's default key: see DR501
    if keyless and any(database[path] is not None for path in _ORIGINS[database.kind]):
        raise Unresolved(database.undecided_because("kms_key_id", "that of what it is made from"))
    if database["storage_encrypted"] is None and keyless:
        member = database.kind == "rds.cluster" and database["global_cluster_identifier"]
        return bool(member)
    return database["storage_encrypted"] is not False


def _bucket(graph: Graph, resource: Resource) -> Iterator[str]:
    link = graph.link(resource, "bucket", "s3.bucket")
    if link is None:
        require_known(resource["bucket"])
    elif _expendable(graph, link.resource):
        return
    for rule_ in resource["rule"] or ():
        default = rule_.get("apply_server_side_encryption_by_default") or {}
        if default.get("sse_algorithm") not in {"aws:kms", "aws:kms:dsse"}:
            continue
        key = default.get("kms_master_key_id")
        if owner_of_key(graph, resource, key, "rule") != "own":
            yield "its objects are under AWS's own key"


def _expendable(graph: Graph, bucket: Resource) -> bool:
    """Return whether a bucket holds what no recovery restores: logs, or what may be deleted with it.

    Access logs could not even be written under a key of one's own.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    return (
        bucket.known("force_destroy") is True
        or any(
            logging not in graph.known_users(bucket, "s3.logging", "bucket")
            for logging in graph.users(bucket, "s3.logging", "target_bucket")
        )
        or bool(graph.users(bucket, "lb.load_balancer", "access_logs.bucket"))
    )
